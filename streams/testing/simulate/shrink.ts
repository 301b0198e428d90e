import type { Simulated, SimulateOptions } from './options.js'
import type { PlannedFault, PlannedRound } from './plan.js'

/**
 * A failing run made small.
 *
 * @example
 * const shrunk: Shrunk | null = shrink(29, { servers: 3 })
 * if (shrunk !== null) console.log(`after ${shrunk.runs} runs`, shrunk.options.plan)
 */
export interface Shrunk {
  readonly options: SimulateOptions
  readonly result: Simulated
  /** How many runs it took. */
  readonly runs: number
}

/**
 * Makes a failing run small: the fewest rounds, then the fewest faults (delta debugging), the fewest operations and the
 * shortest faults with which the same property still fails, within `maxRuns` runs. The result was run and fails.
 */
export const shrinkWith = (
  run: (options: SimulateOptions) => Simulated,
  options: SimulateOptions,
  failing: Simulated,
  maxRuns = 300,
): Shrunk => {
  const name = failing.violation?.name
  let best: Shrunk = { options: { ...options, servers: failing.servers, plan: withoutWhatCame(failing) }, result: failing, runs: 0 }
  let runs = 0

  /** Whether it fails in the same way; it is then the best so far. */
  const fails = (candidate: SimulateOptions): boolean => {
    if (runs >= maxRuns) return false
    runs++
    const result = run(candidate)
    if (result.violation?.name !== name || name === undefined) return false
    best = { options: { ...candidate, plan: withoutWhatCame(result) }, result, runs }
    return true
  }
  const withPlan = (plan: ReadonlyArray<PlannedRound>): boolean => fails({ ...best.options, plan })

  /** Fewer servers are faster to run, so they are tried first and last. */
  const fewerServers = (): void => {
    for (const servers of [3, 5]) if (servers < best.options.servers! && fails({ ...best.options, servers })) return
  }
  /** Removes rounds without faults: all of them, or else one by one. A round that must stay is made short. */
  const withoutEmpty = (): void => {
    const isEmpty = ({ faults }: PlannedRound): boolean => faults.length === 0
    if (!best.options.plan!.some(isEmpty) || withPlan(best.options.plan!.filter((round) => !isEmpty(round)))) return
    for (let at = best.options.plan!.length - 1; at >= 0; at--) {
      const { plan } = best.options
      const round = plan![at]
      if (round === undefined || !isEmpty(round) || withPlan(plan!.filter((_, i) => i !== at)) || round.chaosMs <= momentMs) continue
      withPlan(plan!.map((other, i) => (i === at ? { ...other, chaosMs: momentMs } : other)))
    }
  }

  // Faults that had not begun cannot matter, but without them the run ends in another way: so this is tried like all
  // else.
  if (!fails(best.options)) return { options: { ...options, servers: failing.servers, plan: failing.plan }, result: failing, runs }
  fewerServers()
  if (!withPlan(best.options.plan!.slice(-1))) minimal(best.options.plan!, withPlan)
  minimal(flat(best.options.plan!), (faults) => withPlan(rounds(best.options.plan!, faults)))
  withoutEmpty()
  for (const start of [0, 1_000, 3_000]) if (withPlan(beginningAt(best.options.plan!, start))) break
  for (const operationsPerSecond of [0, 1, 3]) if (fails({ ...best.options, operationsPerSecond })) break
  if (fails({ ...best.options, clients: 1 })) fewerServers()
  for (let at = 0; at < flat(best.options.plan!).length; at++) {
    // The plan itself may end earlier once it fails earlier.
    while ((flat(best.options.plan!)[at]?.fault.forMs ?? 0) >= 20 && withPlan(shortened(best.options.plan!, at)));
  }
  // A round that was needed at first may not be needed any more.
  withoutEmpty()
  return { ...best, runs }
}

const momentMs = 1_000

interface Placed {
  readonly round: number
  readonly fault: PlannedFault
}

const flat = (plan: ReadonlyArray<PlannedRound>): ReadonlyArray<Placed> =>
  plan.flatMap(({ faults }, round) => faults.map((fault) => ({ round, fault })))

const rounds = (plan: ReadonlyArray<PlannedRound>, placed: ReadonlyArray<Placed>): ReadonlyArray<PlannedRound> =>
  plan.map(({ chaosMs }, i) => ({ chaosMs, faults: placed.filter(({ round }) => round === i).map(({ fault }) => fault) }))

/** Each round with its first fault at `startMs`, and only as long as the faults need. */
const beginningAt = (plan: ReadonlyArray<PlannedRound>, startMs: number): ReadonlyArray<PlannedRound> =>
  plan.map(({ chaosMs, faults }) => {
    const earlierMs = Math.max(0, (faults[0]?.atMs ?? chaosMs) - startMs)
    return { chaosMs: chaosMs - earlierMs, faults: faults.map((fault) => ({ ...fault, atMs: fault.atMs - earlierMs })) }
  })

const shortened = (plan: ReadonlyArray<PlannedRound>, at: number): ReadonlyArray<PlannedRound> =>
  rounds(
    plan,
    flat(plan).map((placed, i) => (i === at ? { ...placed, fault: { ...placed.fault, forMs: placed.fault.forMs >> 1 } } : placed)),
  )

/** The plan of a run that ended early: the faults of the last round that had not begun are left out. */
const withoutWhatCame = ({ plan, violation, simulatedMs, lastRoundAt }: Simulated): ReadonlyArray<PlannedRound> => {
  const last = plan[plan.length - 1]
  if (last === undefined || violation === null) return plan
  const reachedMs = simulatedMs - lastRoundAt
  return [...plan.slice(0, -1), { ...last, faults: last.faults.filter(({ atMs }) => atMs <= reachedMs) }]
}

/**
 * Zeller's ddmin: leaves out ever smaller parts of `all` as long as `holds` for the rest. `holds` remembers the rest
 * itself.
 */
const minimal = <T>(all: ReadonlyArray<T>, holds: (rest: ReadonlyArray<T>) => boolean): void => {
  let left = all
  let parts = 2
  while (left.length > 0) {
    const size = Math.ceil(left.length / Math.min(parts, left.length))
    let smaller: ReadonlyArray<T> | null = null
    for (let from = 0; from < left.length && smaller === null; from += size) {
      const rest = [...left.slice(0, from), ...left.slice(from + size)]
      if (holds(rest)) smaller = rest
    }
    if (smaller !== null) {
      left = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) return
    else parts *= 2
  }
}
