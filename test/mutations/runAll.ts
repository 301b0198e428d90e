import type { Mutation } from './mutation.js'
import { type Caught, type Limits, type Outcome, putBack } from './putBack.js'
import { scenarios } from './scenarios/index.js'

/** The result for one mutation. */
export interface MutationResult {
  readonly name: string
  readonly number: number | null
  readonly caught: ReadonlyArray<Caught>
  /** Why it could not be put back or looked for, such as a patch that does not fit; null if it could. */
  readonly error: string | null
}

/** The result of a whole run: the one line that `--json` prints. */
export interface Report {
  readonly total: number
  /** How many mutations at least one check saw. */
  readonly caught: number
  /** How many histories of each scenario ran with no mistake put back. */
  readonly control: Outcome['histories']
  /** How many checks saw something there. */
  readonly falseAlarms: number
  /** For each check, how many mutations it saw. */
  readonly by: Readonly<Record<string, number>>
  readonly mutations: ReadonlyArray<MutationResult>
  /** Why the run proves nothing: no mutation was chosen, or the histories without a mistake did not run; else null. */
  readonly error: string | null
}

/** How many histories run without a mistake, at least, where the limits allow it. */
const fewestControlSeeds = 300

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const shown = (caught: ReadonlyArray<Caught>): string => caught.map(({ check, seeds }) => `${check} ${seeds}`).join(', ')

/**
 * Puts the mutations back one by one, then runs as many histories with no mistake put back. It always comes to a
 * report: an error is a part of it.
 */
export const runAll = async (mutations: ReadonlyMap<string, Mutation>, limits: Limits, tell: (line: string) => void): Promise<Report> => {
  const results: MutationResult[] = []
  for (const [name, mutation] of mutations) {
    const result = await resultOf(name, mutation, limits)
    results.push(result)
    tell(`${result.caught.length > 0 ? '✓' : '✗'} ${name.padEnd(36)} ${result.error ?? shown(result.caught)}`)
  }
  const control = await controlOf(results, limits)
  const none = control.caught.length === 0 ? 'nothing found' : shown(control.caught)
  tell(`nothing put back, histories: ${JSON.stringify(control.histories)}: ${control.error ?? none}`)
  const caught = results.filter((result) => result.caught.length > 0).length
  const by = Object.fromEntries(
    scenarios
      .flatMap(({ checks }) => checks)
      .map((check) => [check, results.filter((result) => result.caught.some((it) => it.check === check)).length]),
  )
  tell(`${caught} of ${results.length} caught; by check: ${JSON.stringify(by)}`)
  const error = results.length === 0 ? 'no mutation has such a name' : control.error
  return { total: results.length, caught, control: control.histories, falseAlarms: control.caught.length, by, mutations: results, error }
}

const resultOf = async (name: string, mutation: Mutation, limits: Limits): Promise<MutationResult> => {
  const { number } = mutation
  try {
    const { caught } = await putBack(mutation, limits)
    return { name, number, caught, error: null }
  } catch (error) {
    return { name, number, caught: [], error: messageOf(error) }
  }
}

/** As many histories as it took to see the last mutation: a check that finds something here finds it by itself. */
const controlOf = async (results: ReadonlyArray<MutationResult>, limits: Limits): Promise<Outcome & { readonly error: string | null }> => {
  const seeds = Math.max(Math.min(fewestControlSeeds, limits.seeds), ...results.flatMap(({ caught }) => caught.map((it) => it.seeds)))
  const { seconds, timeoutMs } = limits
  const control = { ...limits, seeds, seconds: 3 * seconds, timeoutMs: 4 * timeoutMs }
  try {
    return { ...(await putBack({ patch: [], scenarios: scenarios.map(({ name }) => name) }, control)), error: null }
  } catch (error) {
    return { caught: [], histories: {}, error: messageOf(error) }
  }
}

/** Whether every mutation was caught, and nothing was found without one. */
export const isGood = ({ total, caught, falseAlarms, error }: Report): boolean => caught === total && falseAlarms === 0 && error === null
