import type { ServerResponse } from 'node:http'
import { type SchedulerLike, Subscription } from 'rxjs'

export interface StallTimer {
  /** Anew, if it had begun. */
  begin(): void
  end(): void
}

/** Waits for a client to take what was written: when it takes nothing for `ms`, calls `cut`. */
export const stallTimer = (scheduler: SchedulerLike, res: ServerResponse, ms: number, cut: () => void): StallTimer => {
  let waiting = Subscription.EMPTY
  const end = (): void => waiting.unsubscribe()
  res.on('close', end)
  return {
    begin: () => {
      waiting.unsubscribe()
      waiting = scheduler.schedule(cut, ms)
    },
    end,
  }
}
