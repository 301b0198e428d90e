import fc from 'fast-check'
import type { Persist } from '../../src/raft/effect.js'
import type { Entry } from '../../src/raft/entry.js'
import { commandEntry, configurationEntry, noopEntry } from '../../src/raft/entry.js'
import { logIndex, nodeId, term } from '../../src/raft/ids.js'
import { votersOnly } from '../../src/raft/configuration.js'
import { hardState, persist } from './support.js'

/** What one write does, before it is known to which log. */
interface Intent {
  readonly newTerm: boolean
  readonly vote: string | null
  /** The part of the log to truncate. */
  readonly truncate: number | null
  readonly kinds: ReadonlyArray<Entry['kind']>
  readonly size: number
  readonly commit: boolean
}

const intent: fc.Arbitrary<Intent> = fc.record({
  newTerm: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  vote: fc.constantFrom(null, 'n1', 'n2', 'n3'),
  truncate: fc.option(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { freq: 3 }),
  kinds: fc.array(fc.oneof({ weight: 8, arbitrary: fc.constant('command' as const) }, fc.constantFrom('noop', 'configuration')), {
    maxLength: 4,
  }),
  size: fc.nat(90),
  commit: fc.boolean(),
})

/** A server's state, as far as it matters for what it may write next. */
interface Shape {
  currentTerm: number
  votedFor: string | null
  lastIndex: number
  commitIndex: number
  count: number
}

const entryOf = (kind: Entry['kind'], at: Shape, size: number): Entry => {
  const text = `${++at.count} `.padEnd(size, 'x')
  switch (kind) {
    case 'noop':
      return noopEntry(term(at.currentTerm))
    case 'configuration':
      return configurationEntry(term(at.currentTerm), votersOnly([nodeId(`n${at.count}`)]))
    case 'command':
      return commandEntry(
        term(at.currentTerm),
        Uint8Array.from(text, (c) => c.charCodeAt(0)),
      )
  }
}

const writeOf = ({ newTerm, vote, truncate, kinds, size, commit }: Intent, at: Shape): Persist => {
  const votes = newTerm || (at.currentTerm > 0 && at.votedFor === null && vote !== null)
  if (newTerm) at.currentTerm++
  if (votes) at.votedFor = vote
  // What is committed is never truncated.
  const from = truncate === null ? at.lastIndex + 1 : at.commitIndex + 1 + Math.floor(truncate * (at.lastIndex - at.commitIndex))
  const truncateFrom = from <= at.lastIndex ? logIndex(from) : null
  const entries = kinds.map((kind) => entryOf(kind, at, size))
  at.lastIndex = from - 1 + entries.length
  if (commit) at.commitIndex = Math.max(at.commitIndex, from - 1)
  return persist({
    hardState: votes ? hardState(at.currentTerm, at.votedFor) : null,
    truncateFrom,
    firstIndex: from,
    entries,
    commitIndex: at.commitIndex,
  })
}

/** Batches of writes as a server could make them, one after another, from its first day on. */
export const aScript = (maxBatches: number): fc.Arbitrary<ReadonlyArray<ReadonlyArray<Persist>>> =>
  fc.array(fc.array(intent, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: maxBatches }).map((batches) => {
    const at: Shape = { currentTerm: 0, votedFor: null, lastIndex: 0, commitIndex: 0, count: 0 }
    // A step that changes nothing durable writes nothing.
    const isWrite = ({ write }: Persist): boolean => write.hardState !== null || write.truncateFrom !== null || write.entries.length > 0
    return batches.map((intents) => intents.map((one) => writeOf(one, at)).filter(isWrite))
  })
