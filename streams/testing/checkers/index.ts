import type { OperatorFunction } from 'rxjs'
import type { Inspection } from '../../loop/run.js'
import { allChecks } from './all.js'
import { checking, type Violation } from './checker.js'

export { allChecks } from './all.js'
export { type Check, checking, type CheckOf, Checks, type Violation } from './checker.js'
export { Moved } from './moved.js'
export { answering, observing, type Seen, type SeenCheck, type SeenCheckOf, seenOf } from './seen.js'
export {
  noneStops,
  observed,
  type ObservedOptions,
  sameAnswers,
  toldTheTruth,
  type ToldTheTruthOptions,
  watchesInOrder,
} from './observed.js'
export { type Recovery, recovers } from './recovers.js'
export type { Answer } from './answers.js'
export type { Acknowledged } from './clientView.js'
export { ClusterRecord, type Committed, ServerRecord } from './record.js'
export { bounded } from './bounded.js'
export { committedStays } from './committedStays.js'
export { electionSafety } from './electionSafety.js'
export { inOrder } from './inOrder.js'
export { leaderAppendOnly } from './leaderAppendOnly.js'
export { leaderCompleteness } from './leaderCompleteness.js'
export { logMatching } from './logMatching.js'
export { oneConfiguration } from './oneConfiguration.js'
export { quorumOnDisk } from './quorumOnDisk.js'
export { remembers } from './remembers.js'
export { saidAfterFsync } from './saidAfterFsync.js'
export { stateMachineSafety } from './stateMachineSafety.js'

/**
 * All of them as one operator, over the steps of all servers of a cluster.
 *
 *   steps       --a--b--c--d--
 *   violations  --------v-----    c broke something
 *
 * @example
 * const step$ = merge(...servers.map(({ inspect$ }) => inspect$))
 * step$.pipe(checked()).subscribe(({ name, message }) => fail(`${name}: ${message}`))
 */
export const checked = (): OperatorFunction<Inspection, Violation> => checking(...allChecks)
