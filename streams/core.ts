/**
 * rxraft/core: the protocol as values: the rules, what they are told and what they say, the log, invariants, printing.
 * It is pure, and needs no rxjs.
 *
 * @module rxraft/core
 */
export type {
  Apply,
  DiscardSnapshots,
  Effect,
  EffectOf,
  HardState,
  Persist,
  ReadChunk,
  Restore,
  Send,
  SnapshotPointer,
  StoreSnapshot,
  Write,
} from '../src/raft/effect.js'
export { type Disbelief, InvariantViolation, type LimitName, type Refusal } from '../src/raft/error.js'
export type { RaftEvent, RequestId } from '../src/raft/event.js'
export {
  Incarnation,
  type IncarnationBrand,
  LogIndex,
  logIndex,
  type LogIndexBrand,
  maxTerm,
  MessageSeq,
  messageSeq,
  type MessageSeqBrand,
  NodeId,
  nodeId,
  type NodeIdBrand,
  SnapshotRef,
  snapshotRef,
  type SnapshotRefBrand,
  Term,
  term,
  type TermBrand,
  WriteSeq,
  writeSeq,
  type WriteSeqBrand,
} from '../src/raft/ids.js'
export { checkedStep, type Invariant, invariants } from '../src/raft/invariants.js'
export {
  AppendEntries,
  AppendEntriesReply,
  Conflict,
  InstallSnapshot,
  InstallSnapshotReply,
  Message,
  RequestVote,
  RequestVoteReply,
} from '../src/raft/messages.js'
export { printEffect, printEvent, printMessage, printRole, printServer, printStep, printWrite } from '../src/raft/print.js'
export { isQuorum, quorumValue } from '../src/raft/quorum.js'
export { defaultSettings, type Settings } from '../src/raft/settings.js'
export { Address } from '../src/raft/state/address.js'
export {
  Configuration,
  incarnationOf,
  isVoter,
  Joint,
  Member,
  members,
  type NewVoter,
  Simple,
  versionOf,
  voterSets,
  votersOnly,
} from '../src/raft/state/configuration.js'
export {
  commandEntry,
  configurationBytes,
  configurationEntry,
  configurationOf,
  type Entry,
  type EntryKind,
  type KnownKind,
  noopEntry,
} from '../src/raft/state/entry.js'
export { commonPrefix, type Log, logAfter, type LogBase, logFrom, type ReadLimit } from '../src/raft/state/log.js'
export { Counters } from '../src/raft/state/counters.js'
export { type Inflight, Progress } from '../src/raft/state/progress.js'
export { Candidate, Follower, Leader, type Role } from '../src/raft/state/role.js'
export { fresh, leaderOf, type Recovered, restart, type Server } from '../src/raft/state/server.js'
export { type HeldSnapshot, type Receiving, Sending, type SentChunk, Snapshots, type StoredSnapshot } from '../src/raft/state/snapshots.js'
export { allows, ClusterVersion, clusterVersion, type Feature, newestVersion } from '../src/raft/state/version.js'
export type { WriteProgress } from '../src/raft/state/writeProgress.js'
export { type Step, step } from '../src/raft/step.js'
