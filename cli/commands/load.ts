import { either } from 'fp-ts'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { exit } from 'node:process'
import { lastValueFrom, tap } from 'rxjs'
import { type Client, ClientError } from '../../streams/kv.js'
import { type Progress, ProgressTeller } from '../client/progress.js'
import { Reading } from '../client/reading.js'
import { wholeOption } from '../client/values.js'
import { endpointsOf, outcomeOf, withClient } from '../client/withClient.js'
import type { CommandCall, Command } from '../command.js'
import { done, type Outcome, refused } from '../outcome.js'
import { count } from '../view/format.js'

/** A put may have to wait out several elections. */
const defaultTimeoutMs = 60_000

/** `rxraft load FILE`: one key per line. */
export const load: Command = async (call) => {
  const {
    args: [file = ''],
    settings,
    io,
  } = call
  const inFlight = wholeOption(call, 'inFlight', 1_024, { min: 1, max: 65_536 })
  if (either.isLeft(inFlight)) return inFlight.left
  const reading = file === '-' ? either.right(new Reading(io.stdin, null)) : await open(file)
  if (either.isLeft(reading)) return reading.left
  return withClient({ timeoutMs: defaultTimeoutMs, ...settings }, (client) => loadFrom(reading.right, client, inFlight.right, call))
}

const open = async (file: string): Promise<either.Either<Outcome, Reading>> => {
  try {
    const { size } = await stat(file)
    return either.right(new Reading(createReadStream(file), size))
  } catch (error) {
    const { message } = error as NodeJS.ErrnoException
    return either.left(refused('Unreadable', `${file} cannot be read (${message}): name a file that this user may read.`))
  }
}

const loadFrom = async (reading: Reading, client: Client, maxInFlight: number, { io, settings }: CommandCall): Promise<Outcome> => {
  const teller = new ProgressTeller(io.stderr)
  const beganAt = performance.now()
  let reached = { done: 0, retries: 0 }
  const progress = (): Progress => ({ ...reached, part: reading.part(reached.done), elapsedMs: performance.now() - beganAt })
  const interrupts = io.interrupt$.subscribe(() => {
    if (reading.cut !== null) exit(130)
    reading.stop()
  })
  const told$ = client.load(reading.entries(), { maxInFlight }).pipe(
    tap((now) => {
      reached = now
      teller.tell(progress())
    }),
  )
  try {
    await lastValueFrom(told$)
    teller.end()
    const { cut } = reading
    return cut === null
      ? summary(progress())
      : refused(cut.reason, `${cut.message} ${count(reached.done)} keys before it were put.`, figures(progress()))
  } catch (error) {
    teller.end()
    if (!(error instanceof ClientError)) throw error
    const outcome = outcomeOf(error.reason, endpointsOf(settings))
    const doubt = `${count(reached.done)} keys were put for certain, up to ${count(reading.lines - reached.done)} more may have been: load the file again to be sure.`
    return { ...outcome, message: `${outcome.message} ${doubt}`, details: figures(progress()) }
  } finally {
    interrupts.unsubscribe()
  }
}

const figures = ({ done: keys, retries, elapsedMs }: Progress) => ({
  keys,
  seconds: Math.round(elapsedMs) / 1_000,
  perSecond: Math.round((keys * 1_000) / Math.max(1, elapsedMs)),
  retries,
})

const summary = (progress: Progress): Outcome => {
  const details = figures(progress)
  const { keys, seconds, perSecond, retries } = details
  const repeated = retries === 0 ? '' : `; ${count(retries)} attempts were repeated, and each key was put once`
  return done(details, `${count(keys)} keys in ${seconds} s, ${count(perSecond)} a second${repeated}\n`)
}
