import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { EMPTY, type Observable } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { logIndex, nodeId } from '../../src/raft/ids.js'
import { memoryStorage, type MemoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import type { OpenStorage, StorageError } from '../../streams/storage/storage.js'
import { command, configuration, hardState, persist, plain } from './support.js'

/** Opens it, which a storage in memory does within the call. */
const openNow = (storage: MemoryStorage): { readonly open: OpenStorage; readonly abandon: () => void } => {
  let open: OpenStorage | null = null
  const subscription = storage.open().subscribe((value) => {
    open = value
  })
  if (open === null) throw new Error('it did not open within the call')
  return { open, abandon: () => subscription.unsubscribe() }
}

const errorNow = (source: Observable<unknown>): StorageError | null => {
  let error: StorageError | null = null
  source.subscribe({
    error: (e: unknown) => {
      error = e as StorageError
    },
  })
  return error
}

const write = (open: OpenStorage, ...batch: Parameters<OpenStorage['write']>[0]) => open.write(batch) as Observable<never>

const virtually = (test: (scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run(() => test(scheduler))
}

const first = persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a'), command(1, 'b')], commitIndex: 1 })

describe('memoryStorage', () => {
  it('begins with the configuration of its cluster, given by names or whole', () => {
    const byName = memoryStorage(['n3', 'n1', 'n2']).stored()
    expect(byName.log.configuration).toEqual(configuration)
    expect(plain(memoryStorage(votersOnly([nodeId('n1')])).stored())).toMatchObject({
      currentTerm: 0,
      votedFor: null,
      commitIndex: 0,
      entries: [],
    })
  })

  it('refuses a name that is none', () => {
    expect(() => memoryStorage(['N 1'])).toThrow('cluster: names must match')
  })

  it('answers a write within the call, with nothing that costs anything', () => {
    const { open } = openNow(memoryStorage(['n1']))
    expect(open.write([first])).toBe(EMPTY)
  })

  it('is found again as it was, after closing and after a crash', () => {
    const storage = memoryStorage(['n1', 'n2', 'n3'])
    const { open } = openNow(storage)
    write(open, first)
    ;(open.close() as Observable<never>).subscribe()
    const again = openNow(storage)
    expect(plain(again.open.recovered)).toMatchObject({
      currentTerm: 1,
      votedFor: 'n1',
      commitIndex: 1,
      entries: [
        [1, 'command', 'a'],
        [1, 'command', 'b'],
      ],
    })

    write(again.open, persist({ hardState: hardState(2), truncateFrom: logIndex(2), firstIndex: logIndex(2), entries: [command(2, 'c')] }))
    again.abandon()
    expect(plain(openNow(storage).open.recovered)).toMatchObject({
      currentTerm: 2,
      votedFor: null,
      entries: [
        [1, 'command', 'a'],
        [2, 'command', 'c'],
      ],
    })
  })

  it('is open to one at a time', () => {
    const storage = memoryStorage(['n1'])
    const { abandon } = openNow(storage)
    expect(errorNow(storage.open())?._tag).toBe('Locked')
    abandon()
    expect(errorNow(storage.open())).toBeNull()
  })

  it('does not take what does not continue its log', () => {
    const { open } = openNow(memoryStorage(['n1']))
    expect(() => write(open, persist({ firstIndex: logIndex(2), entries: [command(1, 'a')] }))).toThrow('continues the log')
  })

  it('fails the write it was told to fail, loses what was in it, and takes nothing after it until it is opened again', () => {
    const storage = memoryStorage(['n1'], { failAtWrite: 2 })
    const { open, abandon } = openNow(storage)
    write(open, first)
    const second = persist({ firstIndex: logIndex(3), entries: [command(1, 'c')] })
    expect(errorNow(write(open, second))?._tag).toBe('StorageFailed')
    expect(errorNow(write(open, second))?._tag).toBe('StorageFailed')
    abandon()
    const again = openNow(storage)
    expect(again.open.recovered.log.lastIndex).toBe(2)
    expect(errorNow(write(again.open, second))).toBeNull()
  })

  it('is full at its limit, and not before', () => {
    const { open } = openNow(memoryStorage(['n1'], { maxBytes: 24 }))
    expect(errorNow(write(open, first))).toBeNull()
    expect(open.sizeBytes()).toBe(24)
    expect(errorNow(write(open, persist({ firstIndex: logIndex(3), entries: [command(1, '')] })))?._tag).toBe('StorageFull')
  })

  describe('when it is slow', () => {
    it('answers after writeMs', () =>
      virtually((scheduler) => {
        const { open } = openNow(memoryStorage(['n1'], { writeMs: 5, scheduler }))
        scheduler.expectObservable(write(open, first)).toBe('-----|')
      }))

    it.each([
      { onAbandon: 'kept', entries: 2 },
      { onAbandon: 'lost', entries: 0 },
    ] as const)('a write under way is $onAbandon when it is abandoned', ({ onAbandon, entries }) =>
      virtually((scheduler) => {
        const storage = memoryStorage(['n1'], { writeMs: 5, scheduler, onAbandon })
        const { open, abandon } = openNow(storage)
        write(open, first).subscribe({
          complete: () => {
            throw new Error('it was abandoned')
          },
        })
        scheduler.schedule(abandon, 4)
        scheduler.schedule(() => expect(storage.stored().log.lastIndex).toBe(entries), 10)
      }),
    )

    it('a write that was answered is never lost', () =>
      virtually((scheduler) => {
        const storage = memoryStorage(['n1'], { writeMs: 5, scheduler, onAbandon: 'lost' })
        const { open, abandon } = openNow(storage)
        write(open, first).subscribe({ complete: abandon })
        scheduler.schedule(() => expect(storage.stored().log.lastIndex).toBe(2), 6)
      }))

    it('closing finishes the write under way', () =>
      virtually((scheduler) => {
        const storage = memoryStorage(['n1'], { writeMs: 5, scheduler, onAbandon: 'lost' })
        const { open } = openNow(storage)
        write(open, first).subscribe()
        ;(open.close() as Observable<never>).subscribe()
        expect(storage.stored().log.lastIndex).toBe(2)
      }))

    it('a torn write leaves some prefix of its records, which the dice choose: each is a legal state', () => {
      const batch = [
        persist({ hardState: hardState(1), entries: [command(1, 'a'), command(1, 'b')] }),
        persist({ hardState: hardState(2, 'n2'), truncateFrom: logIndex(2), firstIndex: logIndex(2), entries: [command(2, 'c')] }),
      ]
      const prefixes = ['0  []', '1  []', '1  [a]', '1  [a b]', '2 n2 [a b]', '2 n2 [a]', '2 n2 [a c]']
      fc.assert(
        fc.property(fc.nat(prefixes.length - 1), (n) =>
          virtually((scheduler) => {
            const storage = memoryStorage(['n1'], { writeMs: 5, scheduler, onAbandon: 'torn', random: () => n / prefixes.length })
            const { open, abandon } = openNow(storage)
            ;(open.write(batch) as Observable<never>).subscribe()
            abandon()
            const { currentTerm, votedFor, log } = storage.stored()
            expect(`${currentTerm} ${votedFor ?? ''} [${[...log].map((e) => String.fromCharCode(...e.command)).join(' ')}]`).toBe(
              prefixes[n],
            )
          }),
        ),
      )
    })

    it('needs a clock', () => {
      expect(() => memoryStorage(['n1'], { writeMs: 5 })).toThrow('scheduler: is needed')
    })
  })
})
