import type { TraceLine, TraceState } from '../line.js'
import { durableIndex, write } from './disk.js'
import { changed, lastIndex, lastTerm, termAt } from './log.js'
import { type Done, keyOf, type Model, type ModelServer, newModel } from './model.js'
import { must, Unexplained } from './must.js'
import { advancedCommit, committed, elected, grown, handsOver } from './properties.js'
import { happen, restarted } from './rules.js'
import { maySend } from './sends.js'

/**
 * Figure 2 allows every line.
 *
 * @example
 * const verdict: TraceAccepted | TraceRejected = acceptsTrace(lines)
 * if (verdict._tag === 'Accepted') console.log(`Figure 2 allows all ${verdict.lines} lines`)
 */
export interface TraceAccepted {
  readonly _tag: 'Accepted'
  readonly lines: number
}

/**
 * The first line, from 1, that Figure 2 does not allow, and why not.
 *
 * @example
 * const told = ({ line, why }: TraceRejected): string => `line ${line}: ${why}`
 */
export interface TraceRejected {
  readonly _tag: 'Rejected'
  readonly line: number
  readonly why: string
}

/**
 * Whether a trace of a whole cluster is one that Figure 2 allows: replays it, line by line, against a statement of
 * Figure 2 that was written from the paper and shares no code with the servers that made it. It knows what all of them
 * know and remembers every message; so it sees a message that nobody sent, a promise that was not on disk, and every
 * breach of Figure 3. Where the library departs from the paper (docs/divergences.md), so does this, and nowhere else.
 *
 * Lines stand in the order in which they happened, from the first `Started` of each server on. A server that starts
 * again has crashed.
 *
 * @example
 * acceptsTrace(lines) // { _tag: 'Accepted', lines: 120 }
 * // { _tag: 'Rejected', line: 7, why: 'n2: no server has sent this RequestVoteReply' }
 */
export const acceptsTrace = (lines: Iterable<TraceLine>): TraceAccepted | TraceRejected => {
  const next = traceChecker()
  let count = 0
  for (const line of lines) {
    count++
    const why = next(line)
    if (why !== null) return { _tag: 'Rejected', line: count, why }
  }
  return { _tag: 'Accepted', lines: count }
}

/**
 * Checks a trace line by line, as it comes: says why a line is not allowed, null if it is. After the first line that is
 * not allowed, no answer means anything.
 *
 * @example
 * const next = traceChecker()
 * const why = lines.map(next).find((reason) => reason !== null) // undefined: each line is allowed
 */
export const traceChecker = (): ((line: TraceLine) => string | null) => {
  const model = newModel()
  return (line) => {
    try {
      explain(model, line)
      return null
    } catch (reason) {
      if (reason instanceof Unexplained) return `${line.id}: ${reason.message}`
      throw reason
    }
  }
}

const explain = (model: Model, line: TraceLine): void => {
  const { id, event } = line
  if (event._tag === 'Started') {
    const server = restarted(model, id, event)
    model.servers.set(id, server)
    grown(model, server.log, server.log.baseIndex + 1)
    committed(model, server, server.log.baseIndex)
  }
  const server = model.servers.get(id)
  must(server !== undefined, 'its first line is not Started')

  const before = { ...server }
  const did = happen(model, server, line)
  if (did.change !== null) server.log = changed(server.log, did.change)
  const advanced = advancedCommit(model, server, line.after.commitIndex)
  writes(server, before, did, line)
  handsOver(server, line)
  expectState(server, line.after)

  if (did.change !== null) grown(model, server.log, did.change._tag === 'Entries' ? did.change.from : server.log.baseIndex + 1)
  if (before.role !== 'Leader' && server.role === 'Leader') elected(model, server)
  committed(model, server, before.commitIndex)
  sends(model, server, did, line)
  expectActions(did, advanced, line)
}

/** "Persistent state … updated on stable storage": what changed of it is written, and nothing else is. */
const writes = (server: ModelServer, before: ModelServer, { change }: Done, line: TraceLine): void => {
  const { currentTerm, votedFor } = server
  const changes = currentTerm !== before.currentTerm || votedFor !== before.votedFor || change !== null
  const expected = changes ? server.disk.written + 1 : null
  must(line.write === expected, expected === null ? 'it writes what did not change' : `what changed is to be write ${expected}`)
  if (changes) server.disk = write(server.disk, { currentTerm, votedFor }, change)
}

const sends = (model: Model, server: ModelServer, { reply }: Done, { send }: TraceLine): void => {
  let replies = 0
  for (const { message, after } of send) {
    maySend(server, message, after)
    if (message._tag.endsWith('Reply')) {
      replies++
      must(reply !== null && keyOf(reply) === keyOf(message), `Figure 2 answers ${reply === null ? 'nothing' : JSON.stringify(reply)}`)
    }
    if (after === null) model.sent.add(keyOf(message))
    else server.waiting = [...server.waiting, { message, after }]
  }
  must(replies === (reply === null ? 0 : 1), replies === 0 ? 'it does not answer' : 'it answers twice')
}

const expectState = (server: ModelServer, after: TraceState): void => {
  const { log } = server
  const is = (name: string, expected: unknown, said: unknown): void =>
    must(expected === said, `${name} is ${String(said)}, and ${String(expected)} after Figure 2`)
  is('currentTerm', server.currentTerm, after.currentTerm)
  is('votedFor', server.votedFor, after.votedFor)
  is('role', server.role, after.role)
  is('commitIndex', server.commitIndex, after.commitIndex)
  is('the last index', lastIndex(log), after.last.index)
  is('the last term', lastTerm(log), after.last.term)
  is('the base index', log.baseIndex, after.base.index)
  is('the base term', termAt(log, log.baseIndex), after.base.term)
  is('the durable index', durableIndex(server.disk), after.durable)
  for (const [id, { nextIndex, matchIndex }] of Object.entries(after.followers)) {
    is(`matchIndex of ${id}`, server.matchIndex.get(id) ?? 0, matchIndex)
    must(nextIndex > matchIndex && nextIndex <= lastIndex(log) + 1, `nextIndex of ${id} is ${nextIndex}`)
  }
}

/** What the line calls itself is what happened. */
const expectActions = ({ actions }: Done, advanced: boolean, line: TraceLine): void => {
  const tags = new Set(line.send.map(({ message }) => message._tag))
  const sent = (['RequestVote', 'AppendEntries'] as const).filter((tag) => tags.has(tag))
  const expected = [...actions, ...(advanced ? ['AdvanceCommitIndex'] : []), ...sent].join(' ')
  const said = line.actions.filter((action) => !action.startsWith('rxraft/')).join(' ')
  must(said === expected, `its actions are ${expected || 'none of raft.tla'}, not ${said || 'none'}`)
}
