import { either } from 'fp-ts'
import { connect } from 'node:net'
import { defer, filter, Observable, race, repeat, type Subscription, timer } from 'rxjs'
import type { NodeId } from '../../../src/raft/ids.js'
import type { NetworkEvent } from '../network.js'
import { Backoff } from './backoff.js'
import { FrameReader, frameType } from './frame.js'
import { greetingTo, helloFrame, maxGreetingBytes, type Objection, objection, readGreeting } from './greeting.js'
import type { Address } from './options.js'
import type { Outbox } from './outbox.js'
import { readClose } from './refusal.js'
import type { TcpSession } from './session.js'

/**
 * The way to one peer: calls it, for as long as this is subscribed to, and sends what is in `outbox`.
 *
 *   connect ─▶ hello ─▶ welcome ─▶ messages … ─▶ lost ─▶ back-off, or it calls us ─▶ connect
 *
 * A message waits for one attempt: when that fails, or when a connection is lost, what waits is
 * dropped and the peer is `Unreachable`. Raft sends anew what is still true by then.
 */
export const calling = (peer: NodeId, outbox: Outbox, run: TcpSession): Observable<NetworkEvent> => {
  const { backoffMs, random, scheduler } = run.settings
  const backoff = new Backoff({ ...backoffMs, random })
  const calledBack$ = run.calledBy$.pipe(filter((caller) => caller === peer))
  return defer(() => call(peer, outbox, run, backoff)).pipe(repeat({ delay: () => race(timer(backoff.nextMs(), scheduler), calledBack$) }))
}

/** One attempt and what comes of it; completes when the connection is lost. */
const call = (peer: NodeId, outbox: Outbox, run: TcpSession, backoff: Backoff): Observable<NetworkEvent> =>
  new Observable<NetworkEvent>((subscriber) => {
    const { settings, counts } = run
    const { connectTimeoutMs, handshakeTimeoutMs, idleTimeoutMs, scheduler } = settings
    const peerCounts = counts.of(peer)
    const { host, port } = settings.peers[peer] ?? nowhere
    const socket = connect({ host, port, noDelay: true })
    const reader = new FrameReader(maxGreetingBytes)
    let open = false
    let openedAt = 0
    let hungUp = false
    let deadline: Subscription | undefined
    let trouble = `${host}:${port} hung up`

    const within = (timeoutMs: number, what: string): void => {
      deadline?.unsubscribe()
      deadline = scheduler.schedule(() => lost(`${host}:${port} ${what} within ${timeoutMs} ms`), timeoutMs)
    }

    const lost = (why: string): void => {
      if (subscriber.closed) return
      peerCounts.trouble = why
      const dropped = outbox.clear()
      peerCounts.dropped += dropped
      if (open && scheduler.now() - openedAt >= settings.backoffMs.max) backoff.reset()
      if (open || dropped > 0) subscriber.next({ _tag: 'Unreachable', peer })
      subscriber.complete()
    }

    /** We hang up on it. */
    const refuse = (objection: Objection): void => {
      hungUp = true
      backoff.exhaust()
      subscriber.next(run.reject(socket, peer, objection))
      lost(objection.reason)
    }

    const flush = (): void => {
      while (open && !socket.writableNeedDrain) {
        const batch = outbox.take()
        if (batch === null) return
        peerCounts.framesOut += batch.frames
        peerCounts.bytesOut += batch.bytes.length
        socket.write(batch.bytes)
      }
    }

    const welcomed = (payload: Uint8Array): void => {
      const welcome = readGreeting(payload, settings)
      if (either.isLeft(welcome)) return refuse(welcome.left)
      const { from, incarnation } = welcome.right
      const wrong =
        from !== peer
          ? ({ code: 'name', reason: `${host}:${port} should be ${peer}, but ${from} answers there: correct the address.` } as const)
          : objection(welcome.right, settings, run.named)
      if (wrong !== null) return refuse(wrong)
      run.reached(peer, incarnation)
      subscriber.add(run.contradicted(peer, incarnation).subscribe(refuse))
      deadline?.unsubscribe()
      open = true
      openedAt = scheduler.now()
      peerCounts.sending = true
      peerCounts.trouble = null
      counts.changed$.next()
      subscriber.add(run.silence(socket).subscribe(() => lost(`${host}:${port} was silent for ${idleTimeoutMs} ms`)))
      // A turn of the scheduler lets what one step sends leave in one write.
      subscriber.add(outbox.filled$.subscribe(() => subscriber.add(scheduler.schedule(flush))))
      socket.on('drain', flush)
      flush()
    }

    const onFrame = (type: number, payload: Uint8Array): boolean => {
      if (type === frameType.close) {
        backoff.exhaust()
        const rejected = run.rejectedBy(peer, readClose(payload))
        subscriber.next(rejected)
        lost(rejected.reason)
      } else if (type === frameType.welcome && !open) welcomed(payload)
      else if (type !== frameType.alive || !open)
        refuse({ code: 'frame', reason: `frame ${type} has no place ${open ? 'after' : 'before'} a welcome` })
      return !subscriber.closed
    }

    run.adopt(socket)
    peerCounts.attempts++
    within(connectTimeoutMs, 'did not answer')
    socket.on('connect', () => {
      within(handshakeTimeoutMs, 'did not welcome us')
      socket.write(helloFrame(greetingTo(peer, settings)))
    })
    socket.on('data', (chunk) => {
      peerCounts.bytesIn += chunk.length
      const reason = reader.push(chunk, onFrame)
      if (reason !== null) refuse({ code: 'frame', reason })
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      trouble = error.message || (error.code ?? trouble)
    })
    socket.on('close', () => lost(trouble))

    return () => {
      deadline?.unsubscribe()
      if (peerCounts.sending) {
        peerCounts.sending = false
        counts.changed$.next()
      }
      if (!hungUp) socket.destroy()
    }
  })

/** Of a peer that was taken out meanwhile: nobody listens on port 0. */
const nowhere: Address = { host: '127.0.0.1', port: 0 }
