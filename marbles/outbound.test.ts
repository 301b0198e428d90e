import { describe, it } from '@jest/globals'
import type { Effect } from '../src/raft/effect.js'
import { outbound } from '../streams/sinks/outbound.js'
import { marblesWith } from '../streams/testing.js'
import { message, persist, send } from './effects.js'

const marbles = marblesWith(it)

const effects: Record<string, Effect> = {
  s: send(1),
  t: send(2),
  w: send(3, 7),
  p: persist(7),
  e: { _tag: 'ArmElectionTimer', generation: 1 },
}
const messages = { m: message(1), n: message(2) }

describe('outbound', () => {
  marbles('lets pass what waits for nothing', ({ hot, expectObservable }) => {
    const effect = '  s-w-p--s-'
    const sent = '    m------m-'
    expectObservable(hot(effect, effects).pipe(outbound())).toBe(sent, messages)
  })

  marbles('is silent where nothing is sent', ({ hot, expectObservable }) => {
    expectObservable(hot('-p-e-w-', effects).pipe(outbound())).toBe('-')
  })

  marbles('keeps the order', ({ hot, expectObservable }) => {
    expectObservable(hot('-(stp)-ts', effects).pipe(outbound())).toBe('-(mn)--nm', messages)
  })

  marbles('ends with its effects, by an error too', ({ cold, expectObservable }) => {
    expectObservable(cold('-s-|', effects).pipe(outbound())).toBe('-m-|', messages)
    expectObservable(cold('-s-#', effects).pipe(outbound())).toBe('-m-#', messages)
  })

  marbles('stops listening with its subscriber', ({ hot, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('-s--s--', effects)
    const subscribed = ' ^---!'
    expectObservable(effect$.pipe(outbound()), subscribed).toBe('-m', messages)
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })
})
