import { filter, take } from 'rxjs'
import { leaderAmong } from '../../streams/index.js'
import { seeded } from '../../streams/testing/random.js'
import { type DelayMs, elected } from './cluster.js'

export interface TrialOptions {
  /** Both ends included. */
  readonly electionTimeoutMs: { readonly min: number; readonly max: number }
  readonly delayMs: DelayMs
  /** All dice of the trial are cast from it. */
  readonly seed: number
  /** When to give up waiting for a leader. */
  readonly endMs: number
}

/**
 * Crashes a leader and answers after how many virtual milliseconds another server led; null if none did within `endMs`.
 * As in §9.3 of the extended paper, "the leader was crashed uniformly randomly within its heartbeat interval", after "a
 * synchronized broadcast of heartbeat RPCs", and "servers in each trial had different log lengths, so some candidates
 * were not eligible to become leader".
 */
export const trial = ({ electionTimeoutMs, delayMs, seed, endMs }: TrialOptions): number | null => {
  const random = seeded(seed)
  const { scheduler, heartbeatMs, leader, followers } = elected({ electionTimeoutMs, delayMs, random })

  let beaten = false
  leader.inspect$
    .pipe(
      filter(({ event }) => event._tag === 'HeartbeatDue'),
      take(1),
    )
    .subscribe(() => {
      beaten = true
    })
  while (!beaten) scheduler.step()
  const crashedAt = scheduler.now() + Math.floor(random() * heartbeatMs)
  scheduler.runUntil(crashedAt)
  leader.kill()

  let ledAt: number | null = null
  leaderAmong(followers)
    .pipe(take(1))
    .subscribe(() => {
      ledAt = scheduler.now()
    })
  while (ledAt === null && scheduler.step(crashedAt + endMs));
  return ledAt === null ? null : ledAt - crashedAt
}
