/**
 * rxraft: the Raft consensus protocol as a reactive library. This entry has what an application needs: a server, its
 * sinks, networks, disks, codecs, schedulers, and the types of what its streams carry. It runs in Node and in browsers.
 *
 * @module rxraft
 */
// A server.
export { createRaft, type Raft } from './server/createRaft.js'
export { leaderAmong } from './server/leaderAmong.js'
export type { Counts, Metrics } from './server/metrics.js'
export { InvalidOption } from './options/invalidOption.js'
export { defaultClock, defaultTuning, type RaftOptions, tuned, type Tuning } from './server/options.js'
export type { StopReason } from './server/stopReason.js'

// The loop.
export { ofTag } from './loop/ofTag.js'
export { raft, type RaftSinks } from './loop/raft.js'
export { type Inspection, run, type RunOptions } from './loop/run.js'
export { type Sink, sinkOf } from './loop/sink.js'

// Sinks.
export { applied, type AppliedOptions, type AppliedSink, type Result } from './sinks/applied.js'
export { electionTimer, type ElectionTimerOptions } from './sinks/electionTimer.js'
export { flush, type FlushOptions } from './sinks/flush.js'
export { groupCommit, type GroupCommitOptions, type Persisted } from './sinks/groupCommit.js'
export { heartbeat } from './sinks/heartbeat.js'
export { inbound, type LinkEnds, type Received } from './sinks/inbound.js'
export { outbound } from './sinks/outbound.js'
export { Proposal, ProposalError, type ProposalEvent, type ProposalFailure } from './sinks/proposal.js'
export { type ProposalCounts, proposals, type ProposalsOptions, type ProposalsSink } from './sinks/proposals.js'
export {
  defaultSnapshots,
  type SnapshotAnswer,
  type SnapshotOptions,
  type SnapshotPolicy,
  snapshotPolicy,
  type SnapshotPolicyOptions,
} from './sinks/snapshotPolicy.js'
export { type SnapshotCheck, type SnapshotEffect, snapshotStore } from './sinks/snapshotStore.js'
export type { Applied, ApplyMsg, Snapshot, StateMachine, StateMachineError } from './sinks/stateMachine.js'

// Networks, disks and codecs.
export { type MemoryNetwork, memoryNetwork, type MemoryNetworkStats } from './network/memory/memoryNetwork.js'
export type { Faults } from './network/memory/faults.js'
export type { MemoryNetworkOptions } from './network/memory/options.js'
export type { Network, NetworkError, NetworkEvent, NetworkUser, Rejected } from './network/network.js'
export { type MemoryStorage, memoryStorage, type MemoryStorageOptions } from './storage/memory/memoryStorage.js'
export type { OpenStorage, SnapshotStorage, Storage, StorageError } from './storage/storage.js'
export { bytes, type Codec, json, utf8 } from './wire/codec.js'
export { decodeMessage, encodeMessage } from './wire/message.js'

// Time and streams.
export { IterableObservable, iterate, IteratorOverrun } from './rx/iterable.js'
export { type ClockHost, createClock, realClock } from './time/clock.js'
export { HeapScheduler, VirtualScheduler } from './time/heapScheduler.js'

// The types of what the streams carry; `rxraft/core` has the rest of the protocol.
export type {
  Apply,
  DiscardSnapshots,
  Effect,
  EffectOf,
  Persist,
  ReadChunk,
  Restore,
  Send,
  StoreSnapshot,
  Write,
} from '../src/raft/effect.js'
export { InvariantViolation, type Refusal } from '../src/raft/error.js'
export type { RaftEvent } from '../src/raft/event.js'
export { type Incarnation, type LogIndex, logIndex, type NodeId, type Term } from '../src/raft/ids.js'
export type { Message } from '../src/raft/messages.js'
export type { Settings } from '../src/raft/settings.js'
export type { Configuration } from '../src/raft/state/configuration.js'
export type { Entry } from '../src/raft/state/entry.js'
export type { Log } from '../src/raft/state/log.js'
export type { Role } from '../src/raft/state/role.js'
export type { Recovered, Server } from '../src/raft/state/server.js'
export type { Step } from '../src/raft/step.js'
