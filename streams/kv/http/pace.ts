import type { ServerResponse } from 'node:http'
import { type SchedulerLike, Subscription } from 'rxjs'

/* The client's pace: what is written waits for it, for a while. */

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

/** Writes one slice a turn while the socket takes them; then `ended`. */
export const writeSlices = (
  scheduler: SchedulerLike,
  res: ServerResponse,
  slice: Iterator<string | Uint8Array>,
  client: StallTimer,
  ended: () => void,
): void => {
  let turn = Subscription.EMPTY
  const write = (): void => {
    if (res.destroyed) return stop()
    const next = slice.next()
    if (next.done === true) {
      stop()
      ended()
    } else if (res.write(next.value)) goOn()
    else client.begin()
  }
  const goOn = (): void => {
    client.end()
    turn.unsubscribe()
    turn = scheduler.schedule(write)
  }
  const stop = (): void => {
    turn.unsubscribe()
    res.off('drain', goOn).off('close', stop)
  }
  res.on('drain', goOn).on('close', stop)
  write()
}
