import { describe, it } from '@jest/globals'
import { map, type Observable } from 'rxjs'
import type { Raft } from '../streams/server/createRaft.js'
import { IterableObservable } from '../streams/rx/iterable.js'
import { leaderAmong } from '../streams/server/leaderAmong.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

const roles = { f: 'Follower', c: 'Candidate', l: 'Leader' } as const
type Role = (typeof roles)[keyof typeof roles]
/** As much of a server as is looked at. */
const server = (id: string, role$: Observable<Role>): Raft => ({ id, role$: new IterableObservable(role$) }) as Raft
const ids = map(({ id }: Raft<unknown>) => id)

describe('leaderAmong', () => {
  marbles('names whoever becomes leader, each time', ({ hot, expectObservable }) => {
    const n1 = '      f--c-l-----f--|'
    const n2 = '      f-------c-l---|'
    const leader = '  -----1----2---|'
    const servers = [server('1', hot(n1, roles)), server('2', hot(n2, roles))]
    expectObservable(leaderAmong(servers).pipe(ids)).toBe(leader)
  })

  marbles('is silent while nobody leads, and over when there is nobody', ({ hot, expectObservable }) => {
    expectObservable(leaderAmong([server('1', hot('f-c-f-c-', roles))]).pipe(ids)).toBe('-')
    expectObservable(leaderAmong([]).pipe(ids)).toBe('|')
  })

  marbles('watches only while it is watched', ({ hot, expectObservable, expectSubscriptions }) => {
    const role$ = hot(' f-l--f-l-', roles)
    const subscribed = '^---!'
    expectObservable(leaderAmong([server('1', role$)]).pipe(ids), subscribed).toBe('--1')
    expectSubscriptions(role$.subscriptions).toBe(subscribed)
  })
})
