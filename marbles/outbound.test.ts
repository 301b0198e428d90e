import { describe, it } from '@jest/globals'
import type { Effect } from '../src/raft/effect.js'
import { outbound } from '../streams/outbound.js'
import { marbles } from '../streams/testing/index.js'
import { message, persist, send } from './effects.js'

const effects: Record<string, Effect> = {
  s: send(1),
  t: send(2),
  w: send(3, 7),
  p: persist(7),
  e: { _tag: 'ArmElectionTimer', generation: 1 },
}
const messages = { m: message(1), n: message(2) }

describe('outbound', () => {
  it('lets pass what waits for nothing', marbles(({ hot, expectObservable }) => {
    const effect = '  s-w-p--s-'
    const sent = '    m------m-'
    expectObservable(hot(effect, effects).pipe(outbound())).toBe(sent, messages)
  }))

  it('is silent where nothing is sent', marbles(({ hot, expectObservable }) => {
    expectObservable(hot('-p-e-w-', effects).pipe(outbound())).toBe('-')
  }))

  it('keeps the order', marbles(({ hot, expectObservable }) => {
    expectObservable(hot('-(stp)-ts', effects).pipe(outbound())).toBe('-(mn)--nm', messages)
  }))

  it('ends with its effects, by an error too', marbles(({ cold, expectObservable }) => {
    expectObservable(cold('-s-|', effects).pipe(outbound())).toBe('-m-|', messages)
    expectObservable(cold('-s-#', effects).pipe(outbound())).toBe('-m-#', messages)
  }))

  it('stops listening with its subscriber', marbles(({ hot, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('-s--s--', effects)
    const subscribed = ' ^---!'
    expectObservable(effect$.pipe(outbound()), subscribed).toBe('-m', messages)
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  }))
})
