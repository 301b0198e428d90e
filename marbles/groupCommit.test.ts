import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { concat, defer, EMPTY, filter, ignoreElements, mergeMap, NEVER, Observable, of, Subject, takeUntil, timer } from 'rxjs'
import type { DiscardSnapshots, Persist, Send } from '../src/raft/effect.js'
import { groupCommit, type Persisted } from '../streams/sinks/groupCommit.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import { marblesWith } from '../streams/testing.js'
import { discard, persist, persisted, send } from './effects.js'

const marbles = marblesWith(it)

/** A write and a message that waits for it. */
const writeAndSend = (seq: number): Observable<Persist | Send> => of(persist(seq), send(seq, seq))
const steps = { a: writeAndSend(1), b: writeAndSend(2), c: writeAndSend(3), d: writeAndSend(4) }
const sent = { a: send(1), b: send(2), c: send(3), d: send(4) }
const done = { A: persisted(1), B: persisted(2), C: persisted(3), D: persisted(4) }
const answers: Record<string, Persisted | Send> = { ...sent, ...done }

const flatten = mergeMap((effect$: Observable<Persist | Send>) => effect$)
const sends = filter((answer: Persisted | Send | DiscardSnapshots): answer is Send => answer._tag === 'Send')
const seqs = (batch: ReadonlyArray<Persist>): string => batch.map(({ seq }) => seq).join(' ')
const maxWaitingSends = 9

describe('durably', () => {
  marbles('writes that come while one is in flight become one', ({ hot, cold, scheduler, expectObservable, expectSubscriptions }) => {
    const writes = '  a--bcd------------'
    const disk1 = '   ^-----!'
    const disk2 = '   ------^-----!'
    const released = '------a-----(bcd)-'
    const disks = [cold('------|'), cold('------|')]
    const batches: string[] = []
    const write = (batch: ReadonlyArray<Persist>) => disks[batches.push(seqs(batch)) - 1]!
    expectObservable(hot(writes, steps).pipe(flatten, groupCommit({ write, maxWaitingSends }), sends)).toBe(released, sent)
    expectSubscriptions(disks[0]!.subscriptions).toBe(disk1)
    expectSubscriptions(disks[1]!.subscriptions).toBe(disk2)
    scheduler.schedule(() => expect(batches).toEqual(['1', '2 3 4']), 30)
  })

  marbles('acknowledges a batch once, by its last write, after what waited for it', ({ hot, cold, expectObservable }) => {
    const writes = '  a--bcd-------'
    const answered = '------(aA)--(bcdD)'
    expectObservable(hot(writes, steps).pipe(flatten, groupCommit({ write: () => cold('------|'), maxWaitingSends }))).toBe(
      answered,
      answers,
    )
  })

  marbles('is silent where nothing is written', ({ cold, expectObservable }) => {
    expectObservable(cold<Persist>('-----').pipe(groupCommit({ write: () => NEVER, maxWaitingSends }))).toBe('-----')
  })

  marbles('what waits for nothing, or for a write that is done, goes at once', ({ hot, cold, expectObservable }) => {
    const values = { p: persist(1), q: persist(2), n: send(7), o: send(8, 1), w: send(9, 2) }
    const effect = '  p---q-n--o--w------'
    const answered = '--A---n--o----(wB)-'
    const write = (batch: ReadonlyArray<Persist>) => cold(batch[0]!.seq === 1 ? '--|' : '----------|')
    expectObservable(hot(effect, values).pipe(groupCommit({ write, maxWaitingSends }))).toBe(answered, {
      ...done,
      n: send(7),
      o: send(8),
      w: send(9),
    })
  })

  marbles('holds `maxWaitingSends` messages; one more takes the place of the oldest', ({ hot, cold, expectObservable }) => {
    const values = { p: persist(1), a: send(1, 1), b: send(2, 1), c: send(3, 1), n: send(4) }
    const write = () => cold('---------|')
    expectObservable(hot('p-ab-n---', values).pipe(groupCommit({ write, maxWaitingSends: 2 }))).toBe('-----d---(abA)', answers)
    expectObservable(hot('p-abcn---', values).pipe(groupCommit({ write, maxWaitingSends: 2 }))).toBe('-----d---(bcA)', answers)
  })

  marbles('gives a snapshot up after the write that it waits for, in its order among the messages', ({ hot, cold, expectObservable }) => {
    const values = { p: persist(1), a: send(1, 1), x: discard(1, 1), b: send(2, 1), y: discard(2) }
    const write = () => cold('---------|')
    expectObservable(hot('p-axb-y--', values).pipe(groupCommit({ write, maxWaitingSends }))).toBe('------y--(axbA)', {
      ...done,
      a: send(1),
      x: discard(1),
      b: send(2),
      y: discard(2),
    })
  })

  marbles('loses messages at `maxWaitingSends`, and never a snapshot that is to be given up', ({ hot, cold, expectObservable }) => {
    const values = { p: persist(1), x: discard(1, 1), y: discard(2, 1), z: discard(3, 1), a: send(1, 1), b: send(2, 1) }
    const write = () => cold('---------|')
    const released = { ...done, x: discard(1), y: discard(2), z: discard(3), a: send(1), b: send(2) }
    expectObservable(hot('p-xayb--', values).pipe(groupCommit({ write, maxWaitingSends: 2 }))).toBe('---------(xybA)', released)
    expectObservable(hot('p-xyzab-', values).pipe(groupCommit({ write, maxWaitingSends: 2 }))).toBe('---------(xyzbA)', released)
  })

  marbles(
    'an error of the disk is final: what waited is never released, and nothing is written any more',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const failure = { _tag: 'StorageFailed', message: 'fsync: EIO' }
      const disk = cold('---#', {}, failure)
      const effect$ = hot('ab---c--', steps)
      const subscribed = ' ^--!'
      expectObservable(effect$.pipe(flatten, groupCommit({ write: () => disk, maxWaitingSends }))).toBe('---#', {}, failure)
      expectSubscriptions(effect$.subscriptions).toBe(subscribed)
      expectSubscriptions(disk.subscriptions).toBe([subscribed])
    },
  )

  marbles('a storage that throws instead has failed too', ({ hot, expectObservable }) => {
    const write = () => {
      throw new Error('no such file')
    }
    expectObservable(hot('--a--', steps).pipe(flatten, groupCommit({ write, maxWaitingSends }))).toBe('--#', {}, new Error('no such file'))
  })

  marbles('finishes what was given to it before it completes; an error it passes on at once', ({ hot, cold, expectObservable }) => {
    const write = () => cold('----|')
    expectObservable(hot('-ab|', steps).pipe(flatten, groupCommit({ write, maxWaitingSends }))).toBe('-----(aA)(bB|)', answers)
    expectObservable(hot('-|', steps).pipe(flatten, groupCommit({ write, maxWaitingSends }))).toBe('-|')
    expectObservable(hot('-ab#', steps).pipe(flatten, groupCommit({ write, maxWaitingSends }))).toBe('---#')
  })

  marbles('unsubscribing abandons the write under way and all that waits', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const disk = cold('------|')
    const effect$ = hot('-a-b--c--', steps)
    const subscribed = ' ^---!'
    expectObservable(effect$.pipe(flatten, groupCommit({ write: () => disk, maxWaitingSends })), subscribed).toBe('-')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
    expectSubscriptions(disk.subscriptions).toBe(['-^--!'])
  })

  it('also within the call that begins it', () => {
    const halt$ = new Subject<void>()
    let abandoned = false
    const write = () =>
      new Observable<never>(() => {
        halt$.next()
        return () => {
          abandoned = true
        }
      })
    of(persist(1)).pipe(groupCommit({ write, maxWaitingSends }), takeUntil(halt$)).subscribe()
    expect(abandoned).toBe(true)
  })

  it('a disk that answers at once is asked once for each write, however many follow from the answers', () => {
    const effect$ = new Subject<Persist>()
    let written = 0
    const write = (batch: ReadonlyArray<Persist>) => {
      written += batch.length
      return EMPTY
    }
    effect$.pipe(groupCommit({ write, maxWaitingSends })).subscribe((answer) => {
      if (answer._tag === 'Persisted' && answer.seq < 100_000) effect$.next(persist(answer.seq + 1))
    })
    effect$.next(persist(1))
    expect(written).toBe(100_000)
  })

  it('a slow disk slows, and never reorders', () => {
    const script = fc.array(fc.record({ waitMs: fc.nat(3), writes: fc.boolean(), sends: fc.nat(2) }), { maxLength: 40, size: 'max' })
    const disk = fc.array(fc.nat(6), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(script, disk, (moments, durations) => {
        const scheduler = new VirtualScheduler()
        const effect$ = new Subject<Persist | Send>()
        /** For each message, by its number: the write that it waits for. */
        const waitsFor: number[] = []
        const written: number[] = []
        const released: number[] = []
        const breaches: string[] = []
        let inFlight = 0
        let writes = 0
        const write = (batch: ReadonlyArray<Persist>) =>
          defer(() => {
            if (++inFlight > 1) breaches.push('two writes at a time')
            return concat(
              timer(durations[writes++ % durations.length]!, scheduler).pipe(ignoreElements()),
              defer(() => {
                inFlight--
                written.push(...batch.map(({ seq }) => seq))
                return EMPTY
              }),
            )
          })
        effect$.pipe(groupCommit({ write, maxWaitingSends: 1_000 })).subscribe((answer) => {
          if (answer._tag === 'Persisted') {
            if (answer.seq !== written.length) breaches.push(`${answer.seq} is acknowledged, ${written.length} are done`)
          } else if (answer._tag === 'Send' && answer.message._tag === 'RequestVoteReply') {
            const { re } = answer.message
            if (waitsFor[re]! > written.length) breaches.push(`${re} left before write ${waitsFor[re]!}`)
            released.push(re)
          }
        })
        let seq = 0
        for (const { waitMs, writes, sends } of moments) {
          scheduler.runUntil(scheduler.now() + waitMs)
          if (writes) effect$.next(persist(++seq))
          for (let i = 0; i < sends; i++) effect$.next(send(waitsFor.push(seq) - 1, seq))
        }
        scheduler.runUntil(scheduler.now() + 1_000)
        expect(breaches).toEqual([])
        expect(written).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
        expect(released).toEqual(waitsFor.map((_, i) => i))
      }),
      { numRuns: 200 },
    )
  })
})
