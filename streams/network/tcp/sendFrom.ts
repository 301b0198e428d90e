import type { Socket } from 'node:net'
import { type SchedulerLike, Subscription } from 'rxjs'
import type { PeerCounts } from './counts.js'
import type { Outbox } from './outbox.js'

/**
 * Sends what is in `outbox`, now and later, as fast as `socket` takes it. What one turn of the scheduler brings leaves
 * in one write. While the socket has not taken a write, messages gather in the outbox, which has a bound. Unsubscribing
 * stops it.
 */
export const sendFrom = (outbox: Outbox, socket: Socket, counts: PeerCounts, scheduler: SchedulerLike): Subscription => {
  const sending = new Subscription()
  const flush = (): void => {
    while (!sending.closed && !socket.writableNeedDrain) {
      const batch = outbox.take()
      if (batch === null) return
      counts.framesOut += batch.frames
      counts.bytesOut += batch.bytes.length
      socket.write(batch.bytes)
    }
  }
  sending.add(outbox.filled$.subscribe(() => sending.add(scheduler.schedule(flush))))
  socket.on('drain', flush)
  sending.add(() => socket.off('drain', flush))
  flush()
  return sending
}
