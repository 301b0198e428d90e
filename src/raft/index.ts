/** The pure core, gathered: what `streams/index.ts` offers of it. */
export { Configuration, incarnationOf, isVoter, Joint, Member, members, Simple, voterSets, votersOnly } from './state/configuration.js'
export type { WriteProgress } from './state/writeProgress.js'
export * from './effect.js'
export * from './state/entry.js'
export * from './error.js'
export * from './event.js'
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
} from './ids.js'
export * from './invariants.js'
export { commonPrefix, type Log, logAfter, type LogBase, logFrom, type ReadLimit } from './state/log.js'
export * from './messages.js'
export * from './print.js'
export * from './quorum.js'
export { Counters } from './state/counters.js'
export { type Inflight, Progress } from './state/progress.js'
export { Candidate, Follower, Leader, type Role } from './state/role.js'
export { fresh, leaderOf, type Recovered, restart, type Server } from './state/server.js'
export * from './settings.js'
export * from './state/snapshots.js'
export { step, type Step } from './step.js'
