import { map, type OperatorFunction } from 'rxjs'
import type { Inspection } from '../../loop/run.js'
import type { TraceLine } from './line.js'
import { lineOf } from './lineOf.js'

/**
 * Steps as lines of a trace. Subscribe before the server starts: a trace begins with `Started`. Of several servers in
 * one process the merged lines are the trace of the cluster.
 *
 * @example
 * const line$ = merge(...servers.map(({ inspect$ }) => inspect$.pipe(trace())))
 * line$.pipe(toArray()).subscribe((lines) => acceptsTrace(lines))
 */
export const trace = (): OperatorFunction<Inspection, TraceLine> => map(lineOf)
