import type { TraceEventOf, TraceLine, TraceMessage } from '../line.js'
import { mayHold, persisted, remembers } from './disk.js'
import { diskNameOf, isAnonymous, isMajority, lastIndex, namingEntry, voterLists } from './log.js'
import { type Done, done, keyOf, type Model, type ModelServer } from './model.js'
import { must } from './must.js'
import { appendEntries, appendEntriesReply, requestVote, requestVoteReply } from './rpcs.js'
import {
  chunkRead,
  chunkStored,
  installSnapshot,
  installSnapshotReply,
  snapshotRefused,
  snapshotStored,
  snapshotTaken,
} from './snapshots.js'

/*
 * "Rules for Servers" (Figure 2), each on what its line says happened. A rule moves the model and answers what it did.
 */

export const happen = (model: Model, server: ModelServer, line: TraceLine): Done => {
  const { event } = line
  switch (event._tag) {
    case 'Started':
      return done(['Restart'])
    case 'ElectionTimedOut':
      return electionTimedOut(server, line)
    case 'Received':
      return received(model, server, line, event)
    case 'Proposed':
      return proposed(server, line, event)
    case 'Persisted':
      return written(model, server, event.seq, line)
    case 'Applied':
      server.lastApplied = Math.max(server.lastApplied, line.after.lastApplied)
      return done()
    case 'SnapshotTaken':
      return snapshotTaken(server, line, event)
    case 'ChunkStored':
      return chunkStored(server, line, event)
    case 'SnapshotStored':
      return snapshotStored(server, line, event)
    case 'SnapshotRefused':
      return snapshotRefused(server, event)
    case 'ChunkRead':
      return chunkRead(server, line)
    case 'HeartbeatDue':
    case 'Flush':
    case 'Unreachable':
      return done()
  }
}

/**
 * "When servers start up, they begin as followers" (§5.2), with what is on their disk. One that ran before has crashed
 * meanwhile.
 */
export const restarted = (model: Model, id: string, { recovered }: TraceEventOf<'Started'>): ModelServer => {
  const former = model.servers.get(id)
  const { incarnation = null } = recovered
  // Another disk under the same name is another server.
  const isSameDisk = former !== undefined && former.incarnation === incarnation
  must(!isSameDisk || mayHold(former.disk, recovered), 'it starts with something else than what its disk held')
  const { currentTerm, votedFor, base, entries, snapshot } = recovered
  const log = { baseIndex: base.index, baseTerm: base.term, baseConfiguration: base.configuration, entries }
  return {
    id,
    incarnation,
    currentTerm,
    votedFor,
    log,
    commitIndex: recovered.commitIndex,
    // A state machine begins anew, with the snapshot if there is one.
    applyingIndex: snapshot === null ? base.index : 0,
    lastApplied: snapshot === null ? base.index : 0,
    role: 'Follower',
    votes: new Map(),
    matchIndex: new Map(),
    disk: { currentTerm, votedFor, log, written: 0, pending: [] },
    storing: new Map(),
    waiting: [],
  }
}

/** "If election timeout elapses: start new election." A timer that was armed again meanwhile fires in vain. */
const electionTimedOut = (server: ModelServer, { after }: TraceLine): Done => {
  if (after.currentTerm === server.currentTerm) return done()
  must(server.role !== 'Leader', 'a leader does not stand for election')
  must(
    voterLists(server.log).some((voters) => voters.includes(server.id)),
    'one who has no vote does not stand for election',
  )
  must([null, server.incarnation].includes(diskNameOf(server.log, server.id)), 'a server that lost its disk does not stand for election')
  server.currentTerm++
  server.votedFor = server.id
  server.role = 'Candidate'
  server.votes = new Map()
  return done(['Timeout'])
}

/**
 * "If command received from client: append entry to local log", or refuse it: as many of them as there was room for.
 */
const proposed = (server: ModelServer, { after }: TraceLine, { commands }: TraceEventOf<'Proposed'>): Done => {
  const taken = after.last.index - lastIndex(server.log)
  if (taken === 0) return done()
  must(server.role === 'Leader', 'only a leader appends what clients propose')
  must(taken > 0 && taken <= commands.length, `of ${commands.length} commands it appends ${taken}`)
  const entries = commands.slice(0, taken).map((command) => ({ term: server.currentTerm, kind: 'command', command }) as const)
  return done(['ClientRequest'], { _tag: 'Entries', from: lastIndex(server.log) + 1, entries })
}

/** A write is done: what waited for it leaves, and a candidate's own vote counts. */
const written = (model: Model, server: ModelServer, seq: number, line: TraceLine): Done => {
  if (seq > server.disk.written) return done()
  server.disk = persisted(server.disk, seq)
  for (const { message, after } of server.waiting) if (after <= seq) model.sent.add(keyOf(message))
  server.waiting = server.waiting.filter(({ after }) => after > seq)
  const voted = server.role === 'Candidate' && remembers(server.disk, server.currentTerm, server.id)
  return voted ? counted(server, server.id, server.incarnation, line) : done()
}

/** Nothing comes of such a message, but that a server without a leader follows an absurd term some way. */
const followed = (server: ModelServer, { after }: TraceLine): Done => {
  if (after.currentTerm === server.currentTerm + 2 ** 32) {
    server.currentTerm = after.currentTerm
    server.votedFor = null
    server.role = 'Follower'
  }
  return done()
}

/**
 * Not in the paper (docs/divergences.md): a message is not believed whose sender the configuration knows by another
 * disk, or whose term is absurd.
 */
const isBelieved = (server: ModelServer, { from, term }: TraceMessage, incarnation: string | null): boolean =>
  [null, incarnation].includes(diskNameOf(server.log, from)) && term - server.currentTerm <= 2 ** 32

const received = (model: Model, server: ModelServer, line: TraceLine, event: TraceEventOf<'Received'>): Done => {
  const { message } = event
  const incarnation = event.incarnation ?? null
  must(model.sent.has(keyOf(message)), `no server has sent this ${message._tag}`)
  if (message.to !== server.id || message.from === server.id) return done()
  if (!isBelieved(server, message, incarnation)) return followed(server, line)
  // "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower (§5.1)."
  const newer = message.term > server.currentTerm
  if (newer) {
    server.currentTerm = message.term
    server.votedFor = null
    server.role = 'Follower'
  }
  const { actions, change, reply } = handled(server, message, incarnation, line)
  return done(newer ? ['UpdateTerm', ...actions] : actions, change, reply)
}

const handled = (server: ModelServer, message: TraceMessage, incarnation: string | null, line: TraceLine): Done => {
  switch (message._tag) {
    case 'RequestVote':
      return requestVote(server, message)
    case 'AppendEntries':
      return appendEntries(server, message, line)
    case 'AppendEntriesReply':
      return appendEntriesReply(server, message)
    case 'InstallSnapshot':
      return installSnapshot(server, message, line)
    case 'InstallSnapshotReply':
      return installSnapshotReply(server, message, line)
    case 'RequestVoteReply': {
      const said = requestVoteReply(server, message)
      if (!said.granted) return done(said.actions)
      const { actions, change } = counted(server, message.from, incarnation, line)
      return done([...said.actions, ...actions], change)
    }
  }
}

/**
 * "If votes received from majority of servers: become leader." It may open its term with a no-op (§8). The first leader
 * of a cluster whose disks have names needs all votes, and opens its term with these names (docs/divergences.md).
 */
const counted = (server: ModelServer, voter: string, disk: string | null, { after }: TraceLine): Done => {
  const { currentTerm, incarnation, log } = server
  const isFirst = incarnation !== null && isAnonymous(log)
  if (server.votes.has(voter) || (isFirst && disk === null)) return done()
  server.votes = new Map([...server.votes, [voter, disk]])
  const { votes } = server
  const elected = isFirst
    ? voterLists(log).every((voters) => voters.every((id) => votes.has(id)))
    : isMajority(voterLists(log), (id) => votes.has(id))
  if (!elected) return done()
  server.role = 'Leader'
  server.matchIndex = new Map()
  const opens = isFirst || after.last.index === lastIndex(log) + 1
  const opening = isFirst ? namingEntry(log, currentTerm, votes) : ({ term: currentTerm, kind: 'noop', command: '' } as const)
  return done(['BecomeLeader'], opens ? { _tag: 'Entries', from: lastIndex(log) + 1, entries: [opening] } : null)
}
