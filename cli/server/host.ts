import { exit } from 'node:process'
import {
  catchError,
  combineLatest,
  concat,
  firstValueFrom,
  forkJoin,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  of,
  race,
  ReplaySubject,
  Subscription,
  timer,
} from 'rxjs'
import type { Io } from '../io.js'
import { done, type Outcome, refused } from '../outcome.js'
import { refusedBy, type CommandError, expected } from '../commandError.js'
import type { Told } from '../view/reduce.js'
import { show } from '../view/show.js'
import { toldBy } from '../view/tell.js'
import { serving, type Serving, type Setup } from './serving.js'

export interface Hosting {
  readonly title: string
  /** A command to try from another terminal. */
  readonly hint: string
  readonly setups: ReadonlyArray<Setup>
  readonly json: boolean
  readonly io: Io
}

/** What does not stop in so long is killed, which loses nothing that was acknowledged. */
const stopWithinMs = 10_000

/**
 * Runs servers in this process and shows what they do, until a user ends it or the last of
 * them has failed. The first interrupt stops them in good order, the second at once.
 */
export const host = async ({ title, hint, setups, json, io }: Hosting): Promise<Outcome> => {
  const life = new Subscription()
  const interrupted$ = new ReplaySubject<null>(1)
  let interrupts = 0
  const interrupt = (): void => {
    if (++interrupts > 1) exit(130)
    interrupted$.next(null)
  }
  life.add(io.interrupt$.subscribe(interrupt))
  const hosted = setups.map((setup) => hostOne(setup, life))
  try {
    const up = await firstValueFrom(race(combineLatest(hosted.map(({ serving$ }) => serving$)), interrupted$))
    if (up === null) return done()
    const servers = up.map(({ id, url }) => ({ server: id, endpoint: url }))
    const told$ = merge(...up.map(({ server }) => toldBy(server.raft, Date.now)), ...hosted.map(({ told$ }) => told$))
    life.add(show(told$, { title, hint, servers, at: Date.now() }, { io, json, interrupt }))

    const ended = await firstValueFrom(race(interrupted$, forkJoin(hosted.map(({ ended$ }) => ended$))))
    const trouble = ended?.find((one) => one !== null)
    if (trouble) return refused(trouble._tag, trouble.message)
    await firstValueFrom(race(concat(merge(...up.map((one) => one.stop())), of(null)), timer(stopWithinMs)))
    return done({ servers: servers.map(({ server }) => server) }, 'Stopped. Started again, everything is still there.\n')
  } catch (error) {
    return refusedBy(error)
  } finally {
    life.unsubscribe()
  }
}

const hostOne = (setup: Setup, life: Subscription) => {
  const server = setup.self.id
  const serving$ = new ReplaySubject<Serving>(1)
  life.add(serving(setup).subscribe(serving$))
  /** What ended it; null where it was stopped. */
  const ended$: Observable<CommandError | null> = serving$.pipe(
    ignoreElements(),
    (ended$) => concat(ended$, of(null)),
    catchError((error: unknown) => of(expected(error))),
  )
  const told$ = ended$.pipe(
    mergeMap((trouble): ReadonlyArray<Told> => [
      { _tag: 'Standing', server, standing: { role: 'Stopped', leader: null } },
      ...(trouble === null
        ? []
        : [{ _tag: 'Happened' as const, at: Date.now(), server, mood: 'Bad' as const, text: `stopped: ${trouble.message}` }]),
    ]),
  )
  return { serving$, ended$, told$ }
}
