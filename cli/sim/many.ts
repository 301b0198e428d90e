import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { filter, lastValueFrom, map, scan, takeUntil, takeWhile, tap } from 'rxjs'
import type { Io } from '../io.js'
import { type Outcome, refused } from '../outcome.js'
import { count } from '../view/format.js'
import { commitHere, type Ledger, type LedgerLine, writeLedger } from './ledger.js'
import { commandFor, passed, violated } from './one.js'
import type { SimSettings } from './options.js'
import { pool } from './pool.js'
import { SimTeller } from './progress.js'
import { runOptionsOf, type RunReport } from './run.js'
import { add, figuresOf, hoursOf, linearizableOf, nothing, speedOf, type Tally, withoutEffect } from './tally.js'

/** Seeds that nobody chose: they follow the time of day, so that no two runs of CI look at the same histories. */
const freshSeed = (): number => Math.floor(Date.now() / 1_000) * 1_000

/** As many seeds as it takes, on all cores. It ends at the first violation. */
export const many = async (settings: SimSettings, ledger: Ledger, io: Io): Promise<Outcome> => {
  const { hours, maxMinutes, maxSeeds, maxOperations, until, twice } = settings
  const first = settings.firstSeed ?? (until ? ledger.nextSeed : freshSeed())
  const hoursBefore = until ? ledger.hours : 0
  const runs = twice ? 2 : 1
  const beganAt = performance.now()
  let given = 0
  let tally = nothing
  let interrupted = false

  const elapsedMs = (): number => performance.now() - beganAt
  const part = (): number =>
    Math.max(
      Number.isFinite(maxSeeds) ? given / (maxSeeds * runs) : 0,
      Number.isFinite(maxOperations) ? tally.linearizable.checked / maxOperations : 0,
      Number.isFinite(maxSeeds) || Number.isFinite(maxOperations) ? 0 : (hoursBefore + hoursOf(tally)) / hours,
      maxMinutes === null ? 0 : elapsedMs() / (maxMinutes * 60_000),
    )
  const isDone = (): boolean => part() >= 1
  const nextSeed = (): number | null => (isDone() ? null : first + Math.floor(given++ / runs))
  const teller = new SimTeller(io.stderr)
  if (hoursBefore > 0) io.stderr.write(`${settings.ledger}: ${hoursBefore.toFixed(2)} hours so far, of ${ledger.commits.join(', ')}\n`)
  const same = sameTwice()

  const workers = Math.min(settings.workers ?? availableParallelism(), maxSeeds * runs)
  const run$ = pool(workers, runOptionsOf(settings), nextSeed).pipe(
    map((run) => (twice ? same(run) : run)),
    filter((run) => run !== null),
    scan(add, nothing),
    tap((now) => {
      tally = now
      teller.tell({ tally, part: part(), elapsedMs: elapsedMs() })
    }),
    takeWhile(({ violations }) => violations.length === 0, true),
    takeUntil(io.interrupt$.pipe(tap(() => (interrupted = true)))),
  )
  try {
    await lastValueFrom(run$, { defaultValue: nothing })
  } finally {
    teller.end()
    if (settings.ledger !== null && tally.seeds > 0)
      writeLedger(settings.ledger, lineOf(settings, first, first + Math.ceil(given / runs), tally))
  }
  const outcome = outcomeOf(settings, tally)
  return interrupted && outcome._tag === 'Done' ? cutShort(settings, tally) : outcome
}

/** The root of the checkout or of the package, from dist/cli, where this file is bundled. */
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Seeds that were begun and not ended, in a run that was interrupted, are passed over: none is counted twice. */
const lineOf = (settings: SimSettings, firstSeed: number, nextSeed: number, tally: Tally): LedgerLine => {
  const [failed] = tally.violations
  return {
    commit: commitHere(root),
    firstSeed,
    seeds: tally.seeds,
    nextSeed,
    hours: hoursOf(tally),
    operations: tally.operations,
    violations: tally.violations.length,
    ...(failed !== undefined && { repeat: `${commandFor(settings, failed.seed)} --explain` }),
  }
}

const cutShort = ({ ledger }: SimSettings, tally: Tally): Outcome =>
  refused(
    'Interrupted',
    `Interrupted after ${hoursOf(tally).toFixed(2)} hours of ${count(tally.seeds)} clusters: no violation so far.${ledger === null || tally.seeds === 0 ? '' : ` ${ledger} has them.`}`,
    figuresOf(tally),
  )

/**
 * Runs each seed twice. The second run must have the hash of the first; it counts for nothing else, since it is the
 * same history.
 */
const sameTwice = (): ((run: RunReport) => RunReport | null) => {
  const hashes = new Map<number, string>()
  return (run) => {
    const first = hashes.get(run.seed)
    hashes.set(run.seed, run.hash)
    if (first === undefined || run.violation !== null) return run
    hashes.delete(run.seed)
    if (first === run.hash) return null
    const message = `the trace of one run has the hash ${first}, that of the other ${run.hash}`
    return { ...run, violation: { name: 'the same seed gives the same history', at: 0, message } }
  }
}

const outcomeOf = (settings: SimSettings, tally: Tally): Outcome => {
  const figures = figuresOf(tally)
  const [violation] = tally.violations
  if (violation !== undefined) return violated(settings, violation, figures)
  const without = tally.seeds >= 50 ? withoutEffect(tally) : []
  if (without.length > 0)
    return refused('Toothless', `${without.join(', ')} never had an effect in ${tally.seeds} runs: nothing was tested with it.`, figures)
  return passed(tally, summary(tally, settings.twice), figures)
}

const summary = (tally: Tally, twice: boolean): string => {
  const effects = Object.entries(tally.faults).map(([name, { effective }]) => `${name} ${count(effective)}`)
  return [
    `${hoursOf(tally).toFixed(2)} hours of ${count(tally.seeds)} clusters, ${count(speedOf(tally))}× real time per core: no violation${twice ? ', and each twice the same' : ''}`,
    `${count(tally.steps)} steps, ${count(tally.elections)} elections, ${count(tally.commits)} commits, ${count(tally.operations)} operations answered, of which ${linearizableOf(tally.linearizable)}; ${count(tally.recoveries)} recoveries`,
    `faults that had an effect: ${effects.join(', ')}`,
    '',
  ].join('\n')
}
