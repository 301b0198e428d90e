import { describe, expect, it } from '@jest/globals'
import type { Observable } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import { HotByTag } from '../streams/rx/hotInternals.js'
import { ofTag } from '../streams/loop/ofTag.js'
import { marblesWith } from '../streams/testing.js'
import { persist, send } from './effects.js'

const marbles = marblesWith(it)

const effects: Record<string, Effect> = {
  a: { _tag: 'ArmElectionTimer', generation: 1 },
  m: { _tag: 'ArmHeartbeat', generation: 1 },
  p: persist(7),
  s: send(1),
}

/** The effects of a running server: the same stream, sorted where it is emitted. */
const sorted = (effect$: Observable<Effect>): HotByTag<Effect> => {
  const byTag$ = new HotByTag<Effect>()
  effect$.subscribe((effect) => byTag$.next(effect))
  return byTag$
}

describe.each([
  { of: 'any stream', as: (effect$: Observable<Effect>) => effect$ },
  { of: 'the effects of a server', as: sorted },
])('ofTag of $of', ({ as }) => {
  marbles('lets pass what has the tag', ({ hot, expectObservable }) => {
    const given = ' --a--s--m--a--'
    const passed = '--a--------a--'
    expectObservable(as(hot(given, effects)).pipe(ofTag('ArmElectionTimer'))).toBe(passed, effects)
  })

  marbles('or one of several', ({ hot, expectObservable }) => {
    expectObservable(as(hot('-s(am)-p-m', effects)).pipe(ofTag('ArmHeartbeat', 'Persist'))).toBe('--m----p-m', effects)
  })

  marbles('and stops listening with its subscriber', ({ hot, expectObservable }) => {
    expectObservable(as(hot('-a-a-a', effects)).pipe(ofTag('ArmElectionTimer')), '^---!').toBe('-a-a', effects)
  })
})

describe('the effects of a server', () => {
  it('go to those who listen to all and to those who listen to some, in the order in which they came', () => {
    const effect$ = new HotByTag<Effect>()
    const seen: string[] = []
    effect$.pipe(ofTag('Send')).subscribe(() => seen.push('first'))
    const all = effect$.subscribe(({ _tag }) => seen.push(_tag))
    effect$.next(effects['s']!)
    effect$.pipe(ofTag('Send', 'Persist')).subscribe(() => seen.push('last'))
    effect$.next(effects['s']!)
    all.unsubscribe()
    effect$.next(effects['p']!)
    expect(seen).toEqual(['first', 'Send', 'first', 'Send', 'last', 'last'])
  })
})
