import { describe, expect, it } from '@jest/globals'
import { EMPTY, Subject, throwError } from 'rxjs'
import { nodeId, snapshotRef } from '../src/raft/ids.js'
import type { RaftEvent } from '../src/raft/event.js'
import { type SnapshotCheck, type SnapshotEffect, snapshotStore } from '../streams/sinks/snapshotStore.js'
import type { SnapshotStorage } from '../streams/storage/storage.js'
import { marblesWith } from '../streams/testing.js'
import { discard, piece } from './effects.js'

const marbles = marblesWith(it)

const peer = nodeId('n2')
const read: SnapshotEffect = { _tag: 'ReadChunk', peer, ref: snapshotRef(1), offset: 1, maxBytes: 2 }
const data = Uint8Array.of(1, 2)
const effects: Record<string, SnapshotEffect> = { s: piece(7, 0), r: read, l: piece(7, 1, true), x: discard(3) }
const events: Record<string, RaftEvent> = {
  c: { _tag: 'ChunkStored', ref: snapshotRef(7), offset: 1 },
  d: { _tag: 'ChunkRead', peer, ref: snapshotRef(1), offset: 1, data },
  t: { _tag: 'SnapshotStored', ref: snapshotRef(7), size: 2 },
  u: { _tag: 'SnapshotRefused', ref: snapshotRef(7) },
}
const never: SnapshotStorage = { store: () => new Subject(), read: () => new Subject<Uint8Array>(), discard: () => new Subject() }

describe('snapshots', () => {
  marbles('go to the disk and come from it, one call at a time', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const effect = ' --s--r----l---'
    const storing = '--^--!'
    const reading = '-----^--!'
    const last = '   ----------^---!'
    const event = '  -----c--d-----t'
    const disks = { s: cold('---|'), r: cold('---(r|)', { r: data }), l: cold('----|') }
    const storage = { ...never, store: ({ last }: { last: boolean }) => (last ? disks.l : disks.s), read: () => disks.r }
    expectObservable(hot(effect, effects).pipe(snapshotStore(storage))).toBe(event, events)
    expectSubscriptions(disks.s.subscriptions).toBe(storing)
    expectSubscriptions(disks.r.subscriptions).toBe(reading)
    expectSubscriptions(disks.l.subscriptions).toBe(last)
  })

  marbles('what comes while the disk is at work waits for its turn, in order', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const effect = ' -(srlx)------'
    const event = '  ----c--d--t---'
    const given = '  ----------^-!'
    const discarding = cold('--|')
    const storage = { store: () => cold('---|'), read: () => cold('---(r|)', { r: data }), discard: () => discarding }
    expectObservable(hot(effect, effects).pipe(snapshotStore(storage))).toBe(event, events)
    expectSubscriptions(discarding.subscriptions).toBe(given)
  })

  describe('of a leader', () => {
    const fromLeader = { s: piece(7, 0, false, 'n2'), l: piece(7, 1, true, 'n2'), o: piece(7, 1, true) }
    const whole = { w: Uint8Array.of(0, 1) }

    marbles(
      'are read and checked when they are there, and before anything else is done',
      ({ hot, cold, expectObservable, expectSubscriptions }) => {
        const effect = '  -s--l---------'
        const event = '   --c-------t---'
        const reading = ' ------^!'
        const checking = '-------^--!'
        const [read, checked] = [cold('-(w|)', whole), cold('x-y|')]
        const seen: unknown[] = []
        const check = (snapshot: unknown) => {
          seen.push(snapshot)
          return checked
        }
        const storage = { ...never, store: ({ last }: { last: boolean }) => cold(last ? '--|' : '-|'), read: () => read }
        expectObservable(hot(effect, fromLeader).pipe(snapshotStore(storage, check))).toBe(event, events)
        expectSubscriptions(read.subscriptions).toBe(reading)
        expectSubscriptions(checked.subscriptions).toBe(checking)
      },
    )

    const failing: ReadonlyArray<{ readonly what: string; readonly check: SnapshotCheck }> = [
      { what: 'that fails the check is refused', check: () => throwError(() => new Error('no store')) },
      {
        what: 'for which the check throws is refused',
        check: () => {
          throw new Error('no store')
        },
      },
    ]
    for (const { what, check } of failing)
      marbles(what, ({ hot, cold, expectObservable }) => {
        const storage = { ...never, store: () => cold('-|'), read: () => cold('(w|)', whole) }
        expectObservable(hot('-l', fromLeader).pipe(snapshotStore(storage, check))).toBe('--u', events)
      })

    marbles('are not asked about where there is no check, and the own ones never', ({ hot, cold, expectObservable }) => {
      const storage = { ...never, store: () => cold('-|') }
      expectObservable(hot('-l', fromLeader).pipe(snapshotStore(storage))).toBe('--t', events)
      expectObservable(hot('-o', fromLeader).pipe(snapshotStore(storage, () => throwError(() => new Error('never asked'))))).toBe(
        '--t',
        events,
      )
    })
  })

  marbles('is silent where nothing is asked', ({ cold, expectObservable }) => {
    expectObservable(cold<SnapshotEffect>('---').pipe(snapshotStore(never))).toBe('---')
  })

  marbles('an error of the disk is final: nothing is asked of it any more', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const failure = { _tag: 'StorageFailed', message: 'fsync: EIO' }
    const effect$ = hot('-(sr)---l', effects)
    const subscribed = ' ^--!'
    expectObservable(effect$.pipe(snapshotStore({ ...never, store: () => cold('--#', {}, failure) }))).toBe('---#', {}, failure)
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })

  marbles('a storage that throws instead has failed too', ({ hot, expectObservable }) => {
    const read = () => {
      throw new Error('no such file')
    }
    expectObservable(hot('-r', effects).pipe(snapshotStore({ ...never, read }))).toBe('-#', {}, new Error('no such file'))
  })

  marbles('passes an error of its effects on', ({ cold, expectObservable }) => {
    expectObservable(cold('-s-#', effects).pipe(snapshotStore(never))).toBe('---#')
  })

  marbles('unsubscribing abandons the call under way and all that waits', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const disk = cold('-----|')
    const effect$ = hot('-s-l----', effects)
    const subscribed = ' ^---!'
    expectObservable(effect$.pipe(snapshotStore({ ...never, store: () => disk })), subscribed).toBe('-')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
    expectSubscriptions(disk.subscriptions).toBe(['-^--!'])
  })

  it('a disk that answers at once is asked once for each, however many follow from the answers', () => {
    const effect$ = new Subject<SnapshotEffect>()
    let stored = 0
    effect$.pipe(snapshotStore({ ...never, store: () => EMPTY })).subscribe(() => {
      if (++stored < 100_000) effect$.next(piece(7, stored))
    })
    effect$.next(piece(7, 0))
    expect(stored).toBe(100_000)
  })
})
