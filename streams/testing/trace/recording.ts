import { map, type OperatorFunction, take, toArray } from 'rxjs'
import type { RaftEvent } from '../../../src/raft/event.js'
import { checkedStep } from '../../../src/raft/invariants.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { Inspection } from '../../loop/run.js'
import { eventOf, serverOf } from './eventOf.js'
import type { TraceLine } from './line.js'
import { lineOf } from './lineOf.js'

/**
 * The trace of one server from its first `Started` on. As NDJSON: `toNdjson`, `fromNdjson`.
 *
 * @example
 * const first10: Recording = recording.slice(0, 10)
 * replay(first10)
 */
export type Recording = ReadonlyArray<TraceLine>

/**
 * The options of `record`.
 *
 * @example
 * const options: RecordOptions = { maxSteps: 1_000 }
 * server.inspect$.pipe(record(options)).subscribe((recording) => found.push(recording))
 */
export interface RecordOptions {
  /** How many steps are kept, from the first on; then the recording is complete. 100,000 unless told otherwise. */
  readonly maxSteps?: number
}

/**
 * The options of `replay` and `fork`.
 *
 * @example
 * const options: ReplayOptions = { step: immerStep }
 * replay(recording, options)._tag // 'Same': immer makes the same of each event
 */
export interface ReplayOptions {
  /** What a server does with an event; `checkedStep` unless told otherwise. */
  readonly step?: typeof checkedStep
}

/**
 * Every step came out as it was recorded.
 *
 * @example
 * const again: Replayed | ReplayDiffers = replay(recording)
 * if (again._tag === 'Same') console.log(again.steps.at(-1)?.after.role)
 */
export interface Replayed {
  readonly _tag: 'Same'
  readonly steps: ReadonlyArray<Inspection>
}

/**
 * The step of this line, from 1, came out otherwise, and in what; `steps` are those before it.
 *
 * @example
 * const told = ({ line, why }: ReplayDiffers): string => `line ${line}: ${why}`
 */
export interface ReplayDiffers {
  readonly _tag: 'Differs'
  readonly line: number
  readonly why: string
  readonly steps: ReadonlyArray<Inspection>
}

/**
 * Gathers the steps of one server and emits them as one recording, when it stops or `maxSteps` is reached. Subscribe
 * before it starts.
 *
 * @example
 * import { writeFileSync } from 'node:fs'
 *
 * server.inspect$.pipe(record()).subscribe((recording) => writeFileSync('n1.ndjson', toNdjson(recording)))
 */
export const record = ({ maxSteps = 100_000 }: RecordOptions = {}): OperatorFunction<Inspection, Recording> => {
  return (step$) => step$.pipe(take(maxSteps), map(lineOf), toArray())
}

/**
 * Gives the recorded events to the real `step` again and compares what comes of each with what was recorded: state,
 * effects and all. Throws `InvariantViolation` where a step breaks an invariant.
 *
 * @example
 * replay(recording) // { _tag: 'Same', steps: [{ at, event, before, after, effects }, …] }
 */
export const replay = (recording: Recording, { step = checkedStep }: ReplayOptions = {}): Replayed | ReplayDiffers => {
  const steps: Inspection[] = []
  let server: Server | null = null
  for (const [i, line] of recording.entries()) {
    if (line.event._tag === 'Started') server = serverOf(line.id, line.event)
    const why: string | null = server?.id === line.id ? null : `no step of ${line.id} with Started comes before it`
    if (server === null || why !== null) return { _tag: 'Differs', line: i + 1, why: why!, steps }
    const inspection = stepped(step, server, eventOf(line.event), line.at)
    const differs = difference(line, lineOf(inspection), '')
    if (differs !== null) return { _tag: 'Differs', line: i + 1, why: differs, steps }
    steps.push(inspection)
    server = inspection.after
  }
  return { _tag: 'Same', steps }
}

/**
 * What would have come of other events after the first `k` steps of a recording: the steps that these events make. They
 * are taken up at the time of step `k`. Throws `RangeError` where the recording does not have, or does not replay to,
 * `k` steps.
 *
 * @example
 * fork(recording, 3, [{ _tag: 'ElectionTimedOut', generation: 2 }]).at(-1)?.after.role._tag // 'Candidate'
 */
export const fork = (
  recording: Recording,
  k: number,
  events: Iterable<RaftEvent>,
  { step = checkedStep }: ReplayOptions = {},
): ReadonlyArray<Inspection> => {
  const last = replay(recording.slice(0, Math.max(0, k)), { step }).steps[k - 1]
  if (last === undefined) throw new RangeError(`the recording has ${recording.length} steps and does not replay to step ${k}`)
  const { at } = last
  let server = last.after
  return Array.from(events, (event) => {
    const inspection = stepped(step, server, event, at)
    server = inspection.after
    return inspection
  })
}

const stepped = (step: typeof checkedStep, before: Server, event: RaftEvent, at: number): Inspection => {
  const { server, effects } = step(before, event, at)
  return { at, event, before, after: server, effects }
}

/** The first place where two values part, as a sentence; null where they are equal. */
const difference = (recorded: unknown, now: unknown, path: string): string | null => {
  if (recorded === now) return null
  if (isObject(recorded) && isObject(now)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(now)])) {
      const within = difference(recorded[key], now[key], path === '' ? key : `${path}.${key}`)
      if (within !== null) return within
    }
    return null
  }
  return `${path} was ${JSON.stringify(recorded) ?? 'missing'} and is ${JSON.stringify(now) ?? 'missing'}`
}

const isObject = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === 'object' && u !== null
