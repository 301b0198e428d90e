import type { ServerResponse } from 'node:http'
import { type SchedulerLike, Subscription } from 'rxjs'
import type { StallTimer } from './stallTimer.js'

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
