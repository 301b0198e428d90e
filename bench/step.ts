import { Immer } from 'immer'
import {
  checkedStep,
  commandEntry,
  defaultSettings,
  fresh,
  logFrom,
  logIndex,
  messageSeq,
  nodeId,
  type RaftEvent,
  restart,
  type Server,
  step,
  term,
  votersOnly,
} from '../streams/index.js'
import { nsPerCall } from './measure.js'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]
const newLog = () => logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([n1, n2, n3]) })
const follower = (): Server => restart(n2, defaultSettings, fresh(newLog()))
const command = new Uint8Array(16)

const appendEntries = (last: number, entries: number): RaftEvent => ({
  _tag: 'Received',
  message: {
    _tag: 'AppendEntries',
    from: n1,
    to: n2,
    seq: messageSeq(last + 1),
    term: term(1),
    leaderId: n1,
    prevLogIndex: logIndex(last),
    prevLogTerm: term(last === 0 ? 0 : 1),
    entries: Array.from({ length: entries }, () => commandEntry(term(1), command)),
    leaderCommit: logIndex(last),
  },
})

/** Nanoseconds of one `step`, with and without the invariants: a heartbeat, and an entry appended and then persisted (two steps). */
export const stepNs = (): Record<string, number> => {
  const beat = appendEntries(0, 0)
  const append = (checked: boolean): number => {
    const run = checked ? checkedStep : step
    let server = follower()
    return (
      nsPerCall(() => {
        server = run(server, appendEntries(server.log.lastIndex, 1), 0).server
        server = run(server, { _tag: 'Persisted', seq: server.writeProgress.written }, 0).server
        server = run(server, { _tag: 'Applied', index: server.applyingIndex }, 0).server
      }, 20_000) / 3
    )
  }
  let server = follower()
  const heartbeat = nsPerCall(() => {
    server = step(server, beat, 0).server
  }, 100_000)
  return { heartbeat, append: Math.round(append(false)), appendChecked: Math.round(append(true)) }
}

/** The cost of a step's draft by itself: three reads and three writes, in the copy that `step` makes and in immer's (decision 0002). */
export const draftNs = (): Record<string, number> => {
  const { produce } = new Immer({ autoFreeze: false })
  const write = (draft: { -readonly [K in keyof Server]: Server[K] }, i: number): void => {
    if (draft.currentTerm < 0 || draft.role._tag === 'Leader') return
    draft.commitIndex = logIndex(i)
    draft.lastApplied = logIndex(i)
    draft.counters = draft.counters.with({ heartbeat: i })
  }
  let a = follower()
  const immer = nsPerCall((i) => {
    a = produce(a, (draft: { -readonly [K in keyof Server]: Server[K] }) => {
      write(draft, i)
    })
  }, 50_000)
  let b = follower()
  const beat: RaftEvent = appendEntries(0, 0)
  const own = nsPerCall(() => {
    b = step(b, beat, 0).server
  }, 50_000)
  return { immerDraftOnly: immer, ownDraftAndRules: own }
}

/** Nanoseconds of appending one entry to a log of so many. The command is shared by all of them. */
export const appendNs = (lengths: ReadonlyArray<number>): Record<string, number> => {
  const entry = commandEntry(term(1), command)
  const thousand = Array.from({ length: 1_000 }, () => entry)
  const result: Record<string, number> = {}
  for (const length of lengths) {
    let log = newLog()
    while (log.lastIndex < length) log = log.append(thousand)
    result[length.toExponential().replace('+', '')] = nsPerCall(() => {
      log = log.append([entry])
    }, 2_000)
  }
  return result
}
