import type { RaftEvent, Server } from '../streams/index.js'
import {
  checkedStep,
  commandEntry,
  defaultSettings,
  fresh,
  logFrom,
  logIndex,
  messageSeq,
  nodeId,
  restart,
  step,
  term,
  votersOnly,
} from '../streams/core.js'
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

/** Nanoseconds of a heartbeat that a follower answers. */
export const heartbeatNs = (does: typeof step): number => {
  const beat = appendEntries(0, 0)
  let server = follower()
  return nsPerCall(() => {
    server = does(server, beat, 0).server
  }, 100_000)
}

/**
 * Nanoseconds of a step where a follower appends an entry: it is appended, persisted and applied, which are three
 * steps.
 */
export const appendStepNs = (does: typeof step): number => {
  let server = follower()
  const threeSteps = nsPerCall(() => {
    server = does(server, appendEntries(server.log.lastIndex, 1), 0).server
    server = does(server, { _tag: 'Persisted', seq: server.writeProgress.written }, 0).server
    server = does(server, { _tag: 'Applied', index: server.applyingIndex }, 0).server
  }, 20_000)
  return Math.round(threeSteps / 3)
}

/** One `step`, with and without the invariants. */
export const stepNs = (): Record<string, number> => ({
  heartbeat: heartbeatNs(step),
  append: appendStepNs(step),
  appendChecked: appendStepNs(checkedStep),
})

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
