import fc from 'fast-check'
import type { Persist, SnapshotPointer } from '../../src/raft/effect.js'
import type { Entry } from '../../src/raft/state/entry.js'
import { commandEntry, configurationEntry, noopEntry } from '../../src/raft/state/entry.js'
import { logIndex, nodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { logAfter, logFrom, type Log } from '../../src/raft/state/log.js'
import { configuration, hardState, persist } from './values.js'

/** What one write does, before it is known to which log. */
interface Intent {
  readonly newTerm: boolean
  readonly vote: string | null
  /** The part of the log to truncate. */
  readonly truncate: number | null
  readonly kinds: ReadonlyArray<Entry['kind']>
  readonly size: number
  readonly commit: boolean
  /**
   * An own snapshot of the part of the log that is committed, or one of a leader, so many entries further than that.
   */
  readonly snapshot: { readonly part: number; readonly size: number } | { readonly ahead: number; readonly size: number } | null
}

const snapshotSize = fc.constantFrom(0, 1, 300, 1_500)

const intent: fc.Arbitrary<Intent> = fc.record({
  newTerm: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  vote: fc.constantFrom(null, 'n1', 'n2', 'n3'),
  truncate: fc.option(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { freq: 3 }),
  kinds: fc.array(
    fc.oneof({ weight: 8, arbitrary: fc.constant('command' as const) }, fc.constantFrom<Entry['kind']>('noop', 'configuration', 200)),
    {
      maxLength: 4,
    },
  ),
  size: fc.nat(90),
  commit: fc.boolean(),
  snapshot: fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.record({ part: fc.double({ min: 0, max: 1, noNaN: true }), size: snapshotSize }) },
    { weight: 1, arbitrary: fc.record({ ahead: fc.integer({ min: 1, max: 5 }), size: snapshotSize }) },
  ),
})

/** A server's state, as far as it matters for what it may write next. */
interface Shape {
  currentTerm: number
  votedFor: string | null
  log: Log
  commitIndex: number
  count: number
  lastRef: number
}

const entryOf = (kind: Entry['kind'], at: Shape, size: number): Entry => {
  const text = `${++at.count} `.padEnd(size, 'x')
  if (typeof kind === 'number')
    return {
      ...commandEntry(
        term(at.currentTerm),
        Uint8Array.from(text, (c) => c.charCodeAt(0)),
      ),
      kind,
    }
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

/** A snapshot to begin after, if there is one to be had. */
const pointerOf = (snapshot: Intent['snapshot'], { log, commitIndex, currentTerm, lastRef }: Shape): SnapshotPointer | null => {
  if (snapshot === null) return null
  const keepsSuffix = 'part' in snapshot
  const known = log.base.index + Math.ceil(('part' in snapshot ? snapshot.part : 0) * (commitIndex - log.base.index))
  const index = logIndex('ahead' in snapshot ? commitIndex + snapshot.ahead : known)
  const standing = log.termAt(index)
  // A leader sends what the log does not hold.
  if (keepsSuffix ? index <= log.base.index : standing === currentTerm || currentTerm < log.base.term) return null
  const base = { index, term: keepsSuffix ? standing! : term(currentTerm), configuration: log.configurationAt(index) }
  return { ref: snapshotRef(lastRef + 1), size: snapshot.size, base, keepsSuffix }
}

const writeOf = ({ newTerm, vote, truncate, kinds, size, commit, snapshot }: Intent, at: Shape): Persist => {
  const votes = newTerm || (at.currentTerm > 0 && at.votedFor === null && vote !== null)
  if (newTerm) at.currentTerm++
  if (votes) at.votedFor = vote
  const pointer = pointerOf(snapshot, at)
  if (pointer !== null) {
    at.lastRef = pointer.ref
    at.log = logAfter(at.log, pointer)
    at.commitIndex = Math.max(at.commitIndex, pointer.base.index)
  }
  // What is committed is never truncated.
  const { lastIndex } = at.log
  const from = logIndex(truncate === null ? lastIndex + 1 : at.commitIndex + 1 + Math.floor(truncate * (lastIndex - at.commitIndex)))
  const truncateFrom = from <= lastIndex ? from : null
  const entries = kinds.map((kind) => entryOf(kind, at, size))
  at.log = at.log.truncateFrom(from).append(entries)
  if (commit) at.commitIndex = Math.max(at.commitIndex, from - 1)
  return persist({
    snapshot: pointer,
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
    const log = logFrom({ index: logIndex(0), term: term(0), configuration })
    const at: Shape = { currentTerm: 0, votedFor: null, log, commitIndex: 0, count: 0, lastRef: 0 }
    // A step that changes nothing durable writes nothing.
    const isWrite = ({ write }: Persist): boolean =>
      write.snapshot !== null || write.hardState !== null || write.truncateFrom !== null || write.entries.length > 0
    return batches.map((intents) => intents.map((one) => writeOf(one, at)).filter(isWrite))
  })
