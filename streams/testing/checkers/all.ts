import type { OperatorFunction } from 'rxjs'
import type { Inspection } from '../../loop/run.js'
import { bounded } from './bounded.js'
import { checking, type CheckOf, type Violation } from './checker.js'
import { committedStays } from './committedStays.js'
import { electionSafety } from './electionSafety.js'
import { inOrder } from './inOrder.js'
import { leaderAppendOnly } from './leaderAppendOnly.js'
import { leaderCompleteness } from './leaderCompleteness.js'
import { logMatching } from './logMatching.js'
import { oneConfiguration } from './oneConfiguration.js'
import { quorumOnDisk } from './quorumOnDisk.js'
import { remembers } from './remembers.js'
import { saidAfterFsync } from './saidAfterFsync.js'
import { stateMachineSafety } from './stateMachineSafety.js'

/**
 * Every check of a cluster's steps: I1–I5, I7–I10, I12, I13 and I18.
 *
 * @example
 * const cheaper = allChecks.filter((check) => check !== bounded)
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(...cheaper)).subscribe(({ message }) => alarm(message))
 */
export const allChecks: ReadonlyArray<CheckOf> = [
  electionSafety,
  leaderAppendOnly,
  logMatching,
  committedStays,
  leaderCompleteness,
  stateMachineSafety,
  quorumOnDisk,
  remembers,
  saidAfterFsync,
  inOrder,
  oneConfiguration,
  bounded,
]

/**
 * All checks as one operator, over the steps of all servers of a cluster.
 *
 *   steps       --a--b--c--d--
 *   violations  --------v-----    c broke something
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checked()).subscribe(({ name, message }) => alarm(`${name}: ${message}`))
 */
export const checked = (): OperatorFunction<Inspection, Violation> => checking(...allChecks)
