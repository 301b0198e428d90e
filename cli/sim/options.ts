import { either } from 'fp-ts'
import { wholeOption } from '../client/values.js'
import type { Call } from '../command.js'
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

const numberOption = <A>({ options }: Call, name: string, fallback: A): either.Either<Outcome, number | A> => {
  const text = options[name]
  if (text === undefined) return either.right(fallback)
  return typeof text === 'string' && /^\d{1,9}(\.\d{1,6})?h?$/.test(text)
    ? either.right(Number(text.replace('h', '')))
    : either.left(usage('Usage', `--${name} is ${JSON.stringify(text)}, not a number of hours or minutes`))
}

export const simSettings = (call: Call): either.Either<Outcome, SimSettings> => {
  const { options } = call
  const seed = wholeOption(call, 'seed', null)
  const hours = numberOption(call, options['until'] === undefined ? 'hours' : 'until', 1)
  const maxMinutes = numberOption(call, 'minutes', null)
  const maxSeeds = wholeOption(call, 'seeds', Number.POSITIVE_INFINITY)
  const maxOperations = wholeOption(call, 'operations', Number.POSITIVE_INFINITY)
  const firstSeed = wholeOption(call, 'firstSeed', null)
  const forMs = wholeOption(call, 'forMs', defaultForMs)
  const servers = wholeOption(call, 'servers', null)
  const operationsPerSecond = wholeOption(call, 'opsPerSecond', null)
  const clients = wholeOption(call, 'clients', null)
  const workers = wholeOption(call, 'workers', null)
  const all = [seed, hours, maxMinutes, maxSeeds, maxOperations, firstSeed, forMs, servers, operationsPerSecond, clients, workers]
  for (const option of all) if (either.isLeft(option)) return option
  const valueOf = <A>(option: either.Either<Outcome, A>): A => (option as either.Right<A>).right
  const size = valueOf(servers)
  if (size !== null && (size < 1 || size > 9)) return either.left(usage('Usage', `--servers is ${size}, not from 1 to 9`))
  if (valueOf(workers) === 0) return either.left(usage('Usage', '--workers is 0: somebody has to do it'))
  if (valueOf(clients) === 0)
    return either.left(usage('Usage', '--clients is 0: for clusters that nobody asks for anything, --ops-per-second 0'))
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
    servers: size,
    operationsPerSecond: valueOf(operationsPerSecond),
    clients: valueOf(clients),
    workers: valueOf(workers),
    twice: options['twice'] === true,
  })
}
