import { describe, expect, it } from '@jest/globals'
import {
  concat,
  concatMap,
  defer,
  delay,
  filter,
  from,
  ignoreElements,
  map,
  NEVER,
  Observable,
  type SchedulerLike,
  switchMap,
  throwError,
  timer,
} from 'rxjs'
import type { StopReason } from '../../streams/server/createRaft.js'
import { utf8 } from '../../streams/wire/codec.js'
import type { OpenStorage, Storage } from '../../streams/storage/storage.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { alone, cluster, now, seen, type Server, shouting, story } from './cluster.js'
import { allComplete, ends, failOnUnhandledErrors, streamsOf } from './ends.js'

failOnUnhandledErrors()

/** `storage`, but a write takes its time, and is not made when nobody waits for it. */
const slow = (storage: Storage, scheduler: SchedulerLike, writeMs: number, story: string[] = []): Storage => ({
  open: () =>
    from(storage.open()).pipe(
      map((open): OpenStorage => ({
        ...open,
        write: (batch) =>
          timer(writeMs, scheduler).pipe(
            concatMap(() => {
              story.push(`written ${batch.map(({ seq }) => seq).join(' ')}`)
              return from(open.write(batch))
            }),
            ignoreElements(),
          ),
        close: () =>
          defer(() => {
            story.push('closed')
            return open.close()
          }),
      })),
    ),
})

describe('a server that was built', () => {
  it('does nothing before it is started: not by being looked at, not by being asked', () => {
    const touched: string[] = []
    const { server, run } = alone({
      server: {
        storage: {
          open: () => {
            touched.push('storage')
            return NEVER
          },
        },
        network: () => {
          touched.push('network')
          return NEVER
        },
        stateMachine: () => {
          touched.push('state machine')
          return NEVER
        },
      },
    })
    const shown = streamsOf(server).map((stream$) => seen(stream$))
    const asked = story(server.propose('hello'))
    run(5_000)
    expect(shown).toEqual(shown.map(() => []))
    expect(asked).toEqual(['NotLeader null', '|'])
    expect(touched).toEqual([])
    server.start()
    expect(touched).toEqual(['storage'])
  })

  it('starts once, however often it is told to', () => {
    let opened = 0
    const { server } = alone({
      server: ({ disk }) => ({
        storage: {
          open: () => {
            opened++
            return disk.open()
          },
        },
      }),
    })
    for (let i = 0; i < 3; i++) server.start()
    server.kill()
    server.start()
    expect(opened).toBe(1)
  })

  it('shows its state when its storage was read, and the last to late comers', () => {
    const { server, lead } = alone()
    const roles = seen(server.role$)
    lead()
    expect(roles).toEqual(['Follower', 'Candidate', 'Leader'])
    expect(seen(server.role$)).toEqual(['Leader'])
    expect(seen(server.leader$)).toEqual(['n1'])
    expect(seen(server.state$, ({ currentTerm }) => currentTerm)).toEqual([1])
  })
})

/** `OpenStorage` as a class: what it is asked for stands in its prototype, not in the object. */
class Opened implements OpenStorage {
  constructor(private readonly inner: OpenStorage) {}
  get recovered() {
    return this.inner.recovered
  }
  get snapshots() {
    return this.inner.snapshots
  }
  write(batch: Parameters<OpenStorage['write']>[0]) {
    return this.inner.write(batch)
  }
  close() {
    return this.inner.close()
  }
  sizeBytes() {
    return this.inner.sizeBytes()
  }
}

describe('a storage that is an instance of a class', () => {
  it('is written to, keeps snapshots, tells its size and is closed', () => {
    const memory = memoryStorage(['n1'])
    const storage: Storage = { open: () => from(memory.open()).pipe(map((open) => new Opened(open))) }
    const { server, lead, run } = alone({ server: { storage, snapshots: {} } })
    lead()
    server.propose('a')
    run(50)
    expect(server.snapshot(2, utf8.encode('A'))).toEqual({ _tag: 'Taking' })
    run(50)
    expect(now(server.state$)!.log.base.index).toBe(2)
    const sizes = seen(server.metrics$, ({ storageBytes }) => storageBytes > 0)
    run(0)
    expect(sizes).toEqual([true])
    server.close()
    run(50)
    expect(seen(server.stopped$)).toEqual([{ _tag: 'Closed' }, '|'])
  })
})

describe('close()', () => {
  it('finishes the write under way, closes the storage, and then says so', () => {
    const events: string[] = []
    const { lead, run, disk, server } = alone({ server: ({ disk, scheduler }) => ({ storage: slow(disk, scheduler, 30, events) }) })
    const watched = streamsOf(server).map((stream$) => seen(stream$))
    lead()
    const told = story(server.propose('under way'))
    run(10)
    events.length = 0
    const closed = seen(server.close())
    expect([told, closed, events]).toEqual([['Appended 2', 'Indeterminate 2', '|'], [], []])
    run(20)
    expect([closed, events]).toEqual([
      [{ _tag: 'Closed' }, '|'],
      ['written 3', 'closed'],
    ])
    expect(ends(watched, server)).toEqual(allComplete)
    expect(disk.stored().log.lastIndex).toBe(2)
  })

  it('can be asked for more than once, and starts nothing', () => {
    const { server, lead, run } = alone()
    lead()
    const closed = [server.close(), server.close()].map((stream$) => seen(stream$))
    server.start()
    run(1_000)
    expect(closed).toEqual([1, 2].map(() => [{ _tag: 'Closed' }, '|']))
    expect(story(server.propose('late'))).toEqual(['NotLeader null', '|'])
  })

  it('of a server that was not started', () => {
    const { server } = alone()
    expect(seen(server.close())).toEqual([{ _tag: 'Closed' }, '|'])
    server.start()
    expect(seen(server.role$)).toEqual(['|'])
  })

  it('of a server whose storage is still being read lets go of it', () => {
    let open = false
    const storage: Storage = {
      open: () =>
        new Observable(() => {
          open = true
          return () => {
            open = false
          }
        }),
    }
    const { server } = alone({ server: { storage } })
    server.start()
    expect(open).toBe(true)
    expect(seen(server.close())).toEqual([{ _tag: 'Closed' }, '|'])
    expect(open).toBe(false)
  })

  it('tells of a write that fails meanwhile', () => {
    const failure: StopReason = { _tag: 'StorageFailed', message: 'fsync: EIO' }
    const { lead, run, server } = alone({
      server: ({ disk, scheduler }) => ({
        storage: {
          open: () =>
            disk.open().pipe(
              map((open) => {
                let writes = 0
                return {
                  ...open,
                  write: (batch) =>
                    ++writes < 3
                      ? open.write(batch)
                      : concat(
                          timer(30, scheduler).pipe(ignoreElements()),
                          throwError((): unknown => failure),
                        ),
                }
              }),
            ),
        },
      }),
    })
    lead()
    server.propose('lost')
    run(10)
    const closed = seen(server.close())
    run(100)
    expect(closed).toEqual([failure, '|'])
  })

  it('tells of a storage that cannot be closed', () => {
    const failure: StopReason = { _tag: 'StorageFailed', message: 'close: EIO' }
    const { lead, server } = alone({
      server: ({ disk }) => ({
        storage: {
          open: () => disk.open().pipe(map((open) => ({ ...open, close: () => throwError((): unknown => failure) }))),
        },
      }),
    })
    lead()
    expect(seen(server.close())).toEqual([failure, '|'])
  })

  it('gives way to kill()', () => {
    const events: string[] = []
    const { lead, run, server } = alone({ server: ({ disk, scheduler }) => ({ storage: slow(disk, scheduler, 30, events) }) })
    lead()
    server.propose('lost')
    run(10)
    events.length = 0
    const closed = seen(server.close())
    server.kill()
    run(100)
    expect([closed, events]).toEqual([[{ _tag: 'Killed' }, '|'], []])
  })
})

describe('kill()', () => {
  it('ends everything at once: what is being written is abandoned', () => {
    const events: string[] = []
    const { lead, run, server, scheduler } = alone({ server: ({ disk, scheduler }) => ({ storage: slow(disk, scheduler, 30, events) }) })
    const watched = streamsOf(server).map((stream$) => seen(stream$))
    lead()
    const told = story(server.propose('lost'))
    run(10)
    events.length = 0
    server.kill()
    expect(seen(server.stopped$)).toEqual([{ _tag: 'Killed' }, '|'])
    expect(ends(watched, server)).toEqual(allComplete)
    expect(told).toEqual(['Appended 2', 'Indeterminate 2', '|'])
    expect(scheduler.step()).toBe(false)
    expect(events).toEqual([])
  })

  const places: Readonly<Record<string, (server: Server, kill: () => void) => void>> = {
    'that is told of the first state': (server, kill) => server.state$.subscribe(kill),
    'that is told of the first step': (server, kill) => server.inspect$.subscribe(kill),
    'that is told of a role': (server, kill) =>
      server.role$.subscribe((role) => {
        if (role === 'Candidate') kill()
      }),
    'that is told of a leader': (server, kill) =>
      server.leader$.subscribe((leader) => {
        if (leader !== null) kill()
      }),
    'that is told of a command': (server, kill) => server.apply$.subscribe(kill),
    'that is told of a proposal': (server, kill) =>
      server.role$
        .pipe(
          filter((role) => role === 'Leader'),
          switchMap(() => server.propose('')),
        )
        .subscribe(kill),
    'that is told of metrics': (server, kill) => server.metrics$.subscribe(kill),
  }

  it.each(Object.keys(places))('from a watcher %s leaves nothing behind', (place) => {
    for (const end of ['kill', 'close'] as const) {
      const { server, disk, run, scheduler } = alone()
      const watched = streamsOf(server).map((stream$) => seen(stream$))
      const proposer = server.role$.subscribe((role) => {
        if (role === 'Leader') server.propose('hello')
      })
      places[place]!(server, () => {
        server[end]()
      })
      server.start()
      run(2_000)
      proposer.unsubscribe()
      expect(now(server.stopped$)).toEqual({ _tag: end === 'kill' ? 'Killed' : 'Closed' })
      expect(ends(watched, server)).toEqual(allComplete)
      expect(scheduler.step()).toBe(false)
      expect(seen(disk.open(), () => 'open')).toEqual(['open'])
    }
  })

  it('from whoever is told that it stopped, a new one can be started', () => {
    const { server, create, lead, run } = alone()
    const again = create('n1')
    server.stopped$.subscribe(() => again.start())
    lead()
    server.kill()
    run(1_000)
    expect(now(again.role$)).toBe('Leader')
  })
})

it('a command that cannot be encoded is an error of the call, and nothing is proposed', () => {
  const { lead, run } = alone({
    server: {
      codec: {
        ...utf8,
        encode: () => {
          throw new TypeError('no')
        },
      },
    },
  })
  const server = lead()
  expect(() => server.propose('hello')).toThrow(TypeError)
  run(100)
  expect(now(server.state$)?.log.lastIndex).toBe(1)
})

describe('metrics$', () => {
  it('counts, every `metricsMs`, from subscription on', () => {
    const { elect, run } = cluster({ server: { metricsMs: 100 } })
    const { leader, followers } = elect()
    for (let i = 0; i < 5; i++) leader.propose(`c${i}`)
    leader.propose('unanswered').subscribe()
    const [ofLeader, ofFollower] = [leader, followers[0]!].map(({ metrics$ }) => seen(metrics$))
    run(99)
    expect([ofLeader!.length, ofFollower!.length]).toEqual([1, 1])
    run(1)
    expect([ofLeader!.length, ofFollower!.length]).toEqual([2, 2])
    expect(ofLeader![1]).toMatchObject({
      id: leader.id,
      role: 'Leader',
      term: 1,
      leader: leader.id,
      commitIndex: 7,
      lastApplied: 7,
      lastIndex: 7,
      durableIndex: 7,
      logEntries: 7,
      logBytes: 20,
      proposals: { pending: 0, applied: 6, refused: 0, indeterminate: 0 },
      electionsStarted: 1,
      electionsWon: 1,
      rejected: 0,
    })
    expect(ofFollower![1]).toMatchObject({
      role: 'Follower',
      leader: leader.id,
      lastIndex: 7,
      proposals: { pending: 0, applied: 0 },
      electionsWon: 0,
    })
    const { steps, messagesSent, messagesReceived, storageBytes } = ofLeader![1] as unknown as Record<string, number>
    expect(Math.min(steps!, messagesSent!, messagesReceived!, storageBytes!)).toBeGreaterThan(0)
  })

  it('costs nothing when nobody watches, and stops with its watcher', () => {
    const { server, lead, scheduler } = alone()
    lead()
    const watching = server.metrics$.subscribe()
    watching.unsubscribe()
    server.kill()
    expect(scheduler.step()).toBe(false)
  })
})

it('rejected$ tells what was not let in, and metrics count it', () => {
  const bad = { _tag: 'Rejected', from: 'n9', kind: 'message', reason: 'term is -1' } as const
  const { server, run } = alone({
    server: ({ scheduler }) => ({
      network: () =>
        timer(5, scheduler).pipe(
          map(() => bad),
          delay(0, scheduler),
        ),
      stateMachine: shouting,
    }),
  })
  const rejected = seen(server.rejected$)
  server.start()
  run(10)
  expect(rejected).toEqual([bad])
  expect(now(server.metrics$)).toBe(undefined)
  const metrics = seen(server.metrics$)
  run(0)
  expect(metrics[0]).toMatchObject({ rejected: 1, messagesReceived: 0 })
})
