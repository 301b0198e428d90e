import { describe, expect, it } from '@jest/globals'
import type { Effect } from '../src/raft/effect.js'
import { ofTag } from '../streams/loop/ofTag.js'
import { HotByTag } from '../streams/rx/hotInternals.js'
import { marblesWith } from '../streams/testing.js'
import { persist, send } from './effects.js'

const marbles = marblesWith(it)

const effects: Record<string, Effect> = {
  a: { _tag: 'ArmElectionTimer', generation: 1 },
  m: { _tag: 'ArmHeartbeat', generation: 1 },
  p: persist(7),
  s: send(1),
}

describe('ofTag', () => {
  marbles('lets pass what has the tag', ({ hot, expectObservable }) => {
    const given = ' --a--s--m--a--'
    const passed = '--a--------a--'
    expectObservable(hot(given, effects).pipe(ofTag('ArmElectionTimer'))).toBe(passed, effects)
  })

  marbles('or one of several', ({ hot, expectObservable }) => {
    expectObservable(hot('-s(am)-p-m', effects).pipe(ofTag('ArmHeartbeat', 'Persist'))).toBe('--m----p-m', effects)
  })

  marbles('and stops listening with its subscriber', ({ hot, expectObservable }) => {
    expectObservable(hot('-a-a-a', effects).pipe(ofTag('ArmElectionTimer')), '^---!').toBe('-a-a', effects)
  })
})

describe('the effects of a server', () => {
  it('go to the listeners of all and of some, in the order in which they came', () => {
    const effect$ = new HotByTag<Effect>()
    const seen: string[] = []
    effect$.ofTag(['Send']).subscribe(() => seen.push('first'))
    const all = effect$.subscribe(({ _tag }) => seen.push(_tag))
    effect$.next(effects['s']!)
    effect$.ofTag(['Send', 'Persist']).subscribe(() => seen.push('last'))
    effect$.next(effects['s']!)
    all.unsubscribe()
    effect$.next(effects['p']!)
    expect(seen).toEqual(['first', 'Send', 'first', 'Send', 'last', 'last'])
  })
})
