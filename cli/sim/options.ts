import { availableParallelism } from 'node:os'
import { either } from 'fp-ts'
import { flagOf, wholeOption } from '../client/values.js'
import type { CommandCall } from '../command.js'
import { type Outcome, usage } from '../outcome.js'

/** What `rxraft sim` was asked for. */
export interface SimSettings {
  /** This seed and no other. */
  readonly seed: number | null
  readonly explain: boolean
  readonly hours: number
  readonly maxMinutes: number | null
  readonly maxSeeds: number
  /** Operations found linearizable. */
  readonly maxOperations: number
  readonly until: boolean
  readonly ledger: string | null
  readonly firstSeed: number | null
  readonly forMs: number
  readonly servers: number | null
  readonly operationsPerSecond: number | null
  readonly clients: number | null
  readonly workers: number | null
  readonly twice: boolean
}

const defaultLedger = 'rxraft-sim.ledger'
const defaultForMs = 120_000

/** Every seed is below: all of them are whole numbers that a double holds. */
const seeds = { min: 0, max: 999_999_999_999_999 }
const some = { min: 1, max: 999_999_999_999_999 }
/**
 * The most workers. Each is a process that keeps a core busy, so that more of them slow each other and all other
 * programs.
 */
const maxWorkers = 4 * availableParallelism()

const numberOption = <A>({ options }: CommandCall, name: string, fallback: A): either.Either<Outcome, number | A> => {
  const text = options[name]
  if (text === undefined) return either.right(fallback)
  const value = typeof text === 'string' && /^\d{1,9}(\.\d{1,6})?h?$/.test(text) ? Number(text.replace('h', '')) : 0
  return value > 0
    ? either.right(value)
    : either.left(
        usage('Usage', `--${name} is ${JSON.stringify(text)}, not a number of ${name === 'minutes' ? 'minutes' : 'hours'} above 0`),
      )
}

/** What has no meaning for one seed, in this process: what is asked for must not be left out in silence. */
const ofMany = ['hours', 'until', 'ledger', 'minutes', 'seeds', 'operations', 'firstSeed', 'twice', 'workers'] as const

const misplaced = ({ options }: CommandCall): string | null => {
  if (options['seed'] === undefined) return options['explain'] === true ? '--explain tells one run: say which, with --seed <N>' : null
  const [other] = ofMany.filter((name) => options[name] !== undefined)
  return other === undefined
    ? null
    : `${flagOf(other)} does not go with --seed, which is one run: for one with it, --first-seed ${String(options['seed'])} --seeds 1`
}

export const simSettings = (call: CommandCall): either.Either<Outcome, SimSettings> => {
  const { options } = call
  const wrong = misplaced(call)
  if (wrong !== null) return either.left(usage('Usage', wrong))
  const seed = wholeOption(call, 'seed', null, seeds)
  // As much as fits into the minutes, where nothing else is said.
  const enough = options['minutes'] === undefined ? 1 : Number.POSITIVE_INFINITY
  const hours = numberOption(call, options['until'] === undefined ? 'hours' : 'until', enough)
  const maxMinutes = numberOption(call, 'minutes', null)
  const maxSeeds = wholeOption(call, 'seeds', Number.POSITIVE_INFINITY, some)
  const maxOperations = wholeOption(call, 'operations', Number.POSITIVE_INFINITY, some)
  const firstSeed = wholeOption(call, 'firstSeed', null, seeds)
  const forMs = wholeOption(call, 'forMs', defaultForMs, some)
  const servers = wholeOption(call, 'servers', null, { min: 3, max: 9 })
  const operationsPerSecond = wholeOption(call, 'opsPerSecond', null, { min: 0, max: 1_000_000 })
  const clients = wholeOption(call, 'clients', null, { min: 1, max: 10_000 })
  const workers = wholeOption(call, 'workers', null, { min: 1, max: maxWorkers })
  const all = [seed, hours, maxMinutes, maxSeeds, maxOperations, firstSeed, forMs, servers, operationsPerSecond, clients, workers]
  for (const option of all) if (either.isLeft(option)) return option
  const valueOf = <A>(option: either.Either<Outcome, A>): A => (option as either.Right<A>).right
  const until = options['until'] !== undefined
  const ledger = options['ledger']
  return either.right({
    seed: valueOf(seed),
    explain: options['explain'] === true,
    hours: valueOf(hours),
    maxMinutes: valueOf(maxMinutes),
    maxSeeds: valueOf(maxSeeds),
    maxOperations: valueOf(maxOperations),
    until,
    ledger: typeof ledger === 'string' ? ledger : until ? defaultLedger : null,
    firstSeed: valueOf(firstSeed),
    forMs: valueOf(forMs),
    servers: valueOf(servers),
    operationsPerSecond: valueOf(operationsPerSecond),
    clients: valueOf(clients),
    workers: valueOf(workers),
    twice: options['twice'] === true,
  })
}
