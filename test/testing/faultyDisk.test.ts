import { describe, expect, it } from '@jest/globals'
import type { Persist } from '../../src/raft/effect.js'
import { logIndex } from '../../src/raft/ids.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import type { OpenStorage, StorageError } from '../../streams/storage/storage.js'
import { type DiskFaults, FaultyDisk, firstRecords } from '../../streams/testing/simulate/faultyDisk.js'
import { Gate } from '../../streams/testing/simulate/gate.js'
import { command, hardState, persist as persistOf } from '../storage/support.js'
import { from, type Observable } from 'rxjs'

const persist = (write: Parameters<typeof persistOf>[0]): Persist => persistOf({ snapshot: null, ...write })

const first = persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a'), command(1, 'b')] })

/** A disk that was opened, and what was told of each write. */
const opened = (faults: Partial<DiskFaults>, die = () => 0.5) => {
  const scheduler = new VirtualScheduler()
  const storage = memoryStorage(['n1'])
  const disk = new FaultyDisk(storage, new Gate(scheduler), die, faults)
  const told: string[] = []
  let open: OpenStorage | null = null
  const subscription = disk.open().subscribe((value) => {
    open = value
  })
  const write = (...batch: ReadonlyArray<Persist>): void => {
    from(open!.write(batch) as Observable<never>).subscribe({
      complete: () => told.push(`done at ${scheduler.now()}`),
      error: (error: unknown) => told.push((error as StorageError)._tag),
    })
  }
  return { scheduler, storage, disk, told, write, crash: () => subscription.unsubscribe(), lastIndex: () => storage.stored().log.lastIndex }
}

describe('a disk of a simulated server', () => {
  it('answers within the call where it takes no time', () => {
    const { write, told, lastIndex } = opened({})
    write(first)
    expect([told, lastIndex()]).toEqual([['done at 0'], 2])
  })

  it('takes its time, and keeps nothing before', () => {
    const { write, told, scheduler, lastIndex } = opened({ writeMs: { min: 5, max: 5 } })
    write(first)
    scheduler.runUntil(4)
    expect([told, lastIndex()]).toEqual([[], 0])
    scheduler.runUntil(5)
    expect([told, lastIndex()]).toEqual([['done at 5'], 2])
  })

  it.each([
    { onCrash: 'kept', entries: 2 },
    { onCrash: 'lost', entries: 0 },
    { onCrash: 'torn', entries: 0 }, // half of three records: the hard state
  ] as const)('a crash in the middle of a write: $onCrash', ({ onCrash, entries }) => {
    const { write, crash, disk, lastIndex, storage } = opened({ writeMs: { min: 5, max: 5 }, onCrash })
    write(first)
    crash()
    expect(lastIndex()).toBe(entries)
    expect(storage.stored().currentTerm).toBe(onCrash === 'lost' ? 0 : 1)
    expect(disk.stats[onCrash]).toBe(1)
  })

  it('hangs until it does not', () => {
    const { write, told, scheduler, disk } = opened({ hung: true })
    write(first)
    scheduler.runUntil(1_000)
    expect(told).toEqual([])
    disk.setFaults({ hung: false })
    scheduler.runUntil(1_001)
    expect(told).toEqual(['done at 1001'])
  })

  it('fails, with a part of the write on it', () => {
    const { write, told, storage, disk } = opened({ failing: true })
    write(first)
    expect([told, storage.stored().currentTerm, disk.stats.failed]).toEqual([['StorageFailed'], 1, 1])
  })

  it('is full, with nothing of the write on it', () => {
    const { write, told, storage } = opened({ full: true })
    write(first)
    expect([told, storage.stored().currentTerm]).toEqual([['StorageFull'], 0])
  })

  it('cuts a write between any two records', () => {
    const second = persist({ truncateFrom: logIndex(2), firstIndex: logIndex(2), entries: [command(2, 'c')] })
    const parts = [0, 1, 2, 3, 4, 5].map((count) =>
      firstRecords([first, second], count).map(({ write: { hardState, truncateFrom, entries } }) => [
        hardState === null ? 0 : 1,
        truncateFrom ?? 0,
        entries.length,
      ]),
    )
    expect(parts).toEqual([
      [],
      [[1, 0, 0]],
      [[1, 0, 1]],
      [[1, 0, 2]],
      [
        [1, 0, 2],
        [0, 2, 0],
      ],
      [
        [1, 0, 2],
        [0, 2, 1],
      ],
    ])
  })
})

describe('the time of a process', () => {
  it('stands still while it is stopped; what fell due happens then, in its order', () => {
    const scheduler = new VirtualScheduler()
    const gate = new Gate(scheduler)
    const seen: string[] = []
    for (const ms of [5, 20, 10, 40]) gate.schedule(() => seen.push(`${ms} at ${gate.now()}`), ms)
    scheduler.runUntil(6)
    gate.stopUntil(30)
    scheduler.runUntil(29)
    expect([seen, gate.isStopped]).toEqual([['5 at 5'], true])
    scheduler.runUntil(50)
    expect(seen).toEqual(['5 at 5', '10 at 30', '20 at 30', '40 at 40'])
    expect(gate.postponed).toBe(2)
  })
})
