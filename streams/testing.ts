/**
 * rxraft/testing: what tests of programs on rxraft can use. It needs no test framework.
 *
 * @module rxraft/testing
 */
export { allChecks, checked } from './testing/checkers/all.js'
export type { Answer } from './testing/checkers/answers.js'
export { bounded } from './testing/checkers/bounded.js'
export { type Check, checking, type CheckOf, Checks, type Violation } from './testing/checkers/checker.js'
export type { Acknowledged } from './testing/checkers/clientView.js'
export { committedStays } from './testing/checkers/committedStays.js'
export { electionSafety } from './testing/checkers/electionSafety.js'
export { inOrder } from './testing/checkers/inOrder.js'
export { leaderAppendOnly } from './testing/checkers/leaderAppendOnly.js'
export { leaderCompleteness } from './testing/checkers/leaderCompleteness.js'
export { logMatching } from './testing/checkers/logMatching.js'
export { Moved } from './testing/checkers/moved.js'
export {
  noneStops,
  observed,
  type ObservedOptions,
  sameAnswers,
  toldTheTruth,
  type ToldTheTruthOptions,
  watchesInOrder,
} from './testing/checkers/observed.js'
export { oneConfiguration } from './testing/checkers/oneConfiguration.js'
export { quorumOnDisk } from './testing/checkers/quorumOnDisk.js'
export { ClusterRecord, type Committed, ServerRecord } from './testing/checkers/record.js'
export { recovers, type Recovery } from './testing/checkers/recovers.js'
export { remembers } from './testing/checkers/remembers.js'
export { saidAfterFsync } from './testing/checkers/saidAfterFsync.js'
export { answering, observing, type Seen, type SeenCheck, type SeenCheckOf, seenOf } from './testing/checkers/seen.js'
export { stateMachineSafety } from './testing/checkers/stateMachineSafety.js'
export { ClusterByHand, type ClusterOptions, lastIndexOf } from './testing/cluster.js'
export type { DiskRecord } from './testing/disk.js'
export type { HandServer } from './testing/handServer.js'
export { immerStep } from './testing/immerStep.js'
export { checkLinearizability, type Verdict } from './testing/linearizability/check.js'
export { type KeyValueInput, keyValueModel, type KeyValueOutput } from './testing/linearizability/keyValueModel.js'
export { linearizable, type LinearizableOptions } from './testing/linearizability/linearizable.js'
export { erased, type Model } from './testing/linearizability/model.js'
export type { Completed, Operation, Pending } from './testing/linearizability/operation.js'
export type { SearchLimits } from './testing/linearizability/search.js'
export { inVirtualTime, type MarbleHelpers, marblesWith } from './testing/marbles.js'
export { type ClusterHistory, clusterProperties, type ClusterProperty, watch, type Watch, type Watched } from './testing/properties.js'
export { seeded } from './testing/random.js'
export { type Counterexample, search, searching, type SearchOptions, type SearchResult } from './testing/search.js'
export type { SearchBounds } from './testing/search/bounds.js'
export type { SearchProgress } from './testing/search/explore.js'
export { comeToRest, settle } from './testing/settle.js'
export { explain, shrink, simulate } from './testing/simulate.js'
export type { FaultName } from './testing/simulate/faults/index.js'
export type { FaultCount, Simulated, SimulatedLinearizability, SimulateOptions } from './testing/simulate/options.js'
export type { SimulatedOperation } from './testing/simulate/operation.js'
export type { PlannedFault, PlannedRound } from './testing/simulate/plan.js'
export type { Shrunk } from './testing/simulate/shrink.js'
export type { SimulatedViolation } from './testing/simulate/violation.js'
export type { SnapshotMachine, Workload, WorkloadModel } from './testing/simulate/workload.js'
export { actionsOf } from './testing/trace/actions.js'
export { acceptsTrace, type TraceAccepted, traceChecker, type TraceRejected } from './testing/trace/figure2/accepts.js'
export {
  fromNdjson,
  type NoTrace,
  toNdjson,
  type TraceConfiguration,
  type TraceEntry,
  type TraceEvent,
  type TraceEventOf,
  type TraceLine,
  type TraceMessage,
  type TraceMessageOf,
  type TraceRecovered,
  type TraceSnapshot,
  type TraceState,
} from './testing/trace/line.js'
export { lineOf } from './testing/trace/lineOf.js'
export {
  fork,
  record,
  type Recording,
  type RecordOptions,
  replay,
  type ReplayDiffers,
  type Replayed,
  type ReplayOptions,
} from './testing/trace/recording.js'
export { trace } from './testing/trace/trace.js'
export { transcript } from './testing/transcript.js'
