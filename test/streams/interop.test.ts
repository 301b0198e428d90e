import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import type * as Rx from 'rxjs'
import { firstValueFrom, from, type Observable, type ObservableInput, of, scan, toArray } from 'rxjs'
import { logIndex } from '../../src/raft/ids.js'
import type { Applied, ApplyMsg, StateMachine } from '../../streams/sinks/stateMachine.js'
import { json } from '../../streams/wire/codec.js'
import { createRaft } from '../../streams/server/createRaft.js'
import { iterate, IteratorOverrun } from '../../streams/rx/iterable.js'
import type { NetworkEvent } from '../../streams/network/network.js'
import type { OpenStorage, Storage } from '../../streams/storage/storage.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { alone, cluster, now, seen, shouting, story } from './cluster.js'

/** Another copy of RxJS: none of its classes is ours. */
const foreign = createRequire(import.meta.url)('../../node_modules/rxjs/dist/bundles/rxjs.umd.js') as typeof Rx

/** Whatever can stand for a stream; each gives what `stream$` gives. */
const kinds: Readonly<Record<string, <T>(stream$: Observable<T>) => ObservableInput<T>>> = {
  'an Observable': (stream$) => stream$,
  'an Observable of another copy of RxJS': (stream$) => foreign.from(stream$),
  'what has [Symbol.observable]': (stream$) => ({ '@@observable': () => stream$ }) as never,
  'a Promise': (stream$) => firstValueFrom(stream$, { defaultValue: undefined as never }),
  'an AsyncIterable': (stream$) => ({
    async *[Symbol.asyncIterator]() {
      yield* await firstValueFrom(stream$.pipe(toArray()))
    },
  }),
  'an array': (stream$) => {
    const values: unknown[] = []
    stream$.subscribe((value) => values.push(value))
    return values as never
  },
}
/** Turns of real time, in which promises are kept, and of virtual time, until `done`. */
const until = async (run: (ms: number) => void, done: () => boolean): Promise<void> => {
  for (let i = 0; i < 100 && !done(); i++) {
    await new Promise((resolve) => setTimeout(resolve))
    run(100)
  }
}

const endless = ['an Observable', 'an Observable of another copy of RxJS', 'what has [Symbol.observable]'] as const

it('another copy of RxJS is another', () => {
  expect(foreign.of(1)).not.toBeInstanceOf(from([]).constructor)
  expect(foreign.Observable.name).toBe('Observable')
})

describe.each(Object.keys(kinds))('%s', (kind) => {
  const as = kinds[kind]!
  it('can be what a storage opens, writes and closes with', async () => {
    const { server, run } = alone({
      server: ({ disk }): { readonly storage: Storage } => {
        let release: () => void = () => undefined
        const open = (): ObservableInput<OpenStorage> => {
          let opened: OpenStorage | undefined
          const opening = disk.open().subscribe((open) => {
            opened = open
          })
          release = () => opening.unsubscribe()
          const inner = opened!
          return as(
            of<OpenStorage>({
              ...inner,
              write: (batch) => as(from(inner.write(batch))),
              close: () => {
                release()
                return as(from(inner.close()))
              },
            }),
          )
        }
        return { storage: { open } }
      },
    })
    server.start()
    await until(run, () => now(server.role$) === 'Leader')
    const told = story(server.propose('hello'))
    await until(run, () => told.length === 4)
    expect(told).toEqual(['Appended 2', 'Committed 2', 'Applied 2 HELLO', '|'])
    const closed = seen(server.close())
    await until(run, () => closed.length > 0)
    expect(closed).toEqual([{ _tag: 'Closed' }, '|'])
  })

  it('can be what a network tells', async () => {
    const event: NetworkEvent = { _tag: 'Rejected', from: null, kind: 'frame', reason: 'too long' }
    const { server, run } = alone({ server: { network: () => as(of(event)) } })
    const rejected = seen(server.rejected$)
    server.start()
    await until(run, () => rejected.length > 0)
    expect(rejected).toEqual([event])
    await until(run, () => now(server.role$) === 'Leader')
    expect(now(server.role$)).toBe('Leader')
  })
})

it.each(endless)('%s can be a state machine', (kind) => {
  const { lead, run } = alone({ server: { stateMachine: (msg$) => kinds[kind]!(from(shouting(msg$, null))) } })
  const told = story(lead().propose('hello'))
  run(10)
  expect(told.at(-2)).toBe('Applied 2 HELLO')
})

it('a state machine may be made by operators of another copy of RxJS', () => {
  const stateMachine: StateMachine<string, string> = (msg$) =>
    foreign.from(msg$).pipe(foreign.map(({ index, command }: ApplyMsg<string>): Applied<string> => ({ index, result: `${command}!` })))
  const { lead, run } = alone({ server: { stateMachine } })
  const told = story(lead().propose('hello'))
  run(10)
  expect(told.at(-2)).toBe('Applied 2 hello!')
})

it('a state machine may be an async generator', async () => {
  async function* count(msgs: AsyncIterable<ApplyMsg<string>>): AsyncGenerator<Applied<string>> {
    let n = 0
    for await (const { index } of msgs) yield { index, result: `${++n}` }
  }
  const { lead, run } = alone({ server: { stateMachine: (msg$) => count(iterate(msg$)) } })
  const server = lead()
  const told = [story(server.propose('a')), story(server.propose('b'))]
  await until(run, () => told.every((events) => events.length === 4))
  expect(told.map((events) => events.at(-2))).toEqual(['Applied 2 1', 'Applied 3 2'])
})

describe('what a server shows', () => {
  it('can be iterated over, and ends with the server', async () => {
    const { lead, run } = alone()
    const server = lead()
    const commands: string[] = []
    const reading = (async () => {
      for await (const { command } of server.apply$) commands.push(command)
    })()
    for (let i = 0; i < 3; i++) server.propose(`c${i}`)
    run(10)
    server.kill()
    await reading
    expect(commands).toEqual(['c0', 'c1', 'c2'])
    for await (const reason of server.stopped$) expect(reason).toEqual({ _tag: 'Killed' })
  })

  it('cuts off an iterator that falls behind, and that one only', async () => {
    const { lead, run } = alone()
    const server = lead()
    const slow = iterate(server.apply$, { maxBuffered: 2 })
    const all = seen(server.apply$, ({ index }) => index)
    for (let i = 0; i < 3; i++) server.propose('')
    run(10)
    expect(all).toEqual([2, 3, 4])
    expect([await slow.next(), await slow.next()].map(({ done }) => done)).toEqual([false, false])
    await expect(slow.next()).rejects.toBeInstanceOf(IteratorOverrun)
    expect(now(server.role$)).toBe('Leader')
  })

  it('is taken by another copy of RxJS', () => {
    const { server, lead } = alone()
    const roles: string[] = []
    foreign
      .from(server.role$)
      .pipe(foreign.take(2))
      .subscribe((role) => roles.push(role))
    lead()
    expect(roles).toEqual(['Follower', 'Candidate'])
  })
})

describe('the examples in the documentation', () => {
  it('StateMachine: the sum of all commands', async () => {
    const sum: StateMachine<number, number> = (apply$) =>
      apply$.pipe(scan((sum, { index, command }) => ({ index, result: sum.result + command }), { index: logIndex(0), result: 0 }))
    const { scheduler, network } = cluster({ ids: ['n1'] })
    const server = createRaft({
      id: 'n1',
      network: network.join('n1'),
      storage: memoryStorage(['n1']),
      stateMachine: sum,
      codec: json<number>(),
      scheduler,
    })
    server.start()
    scheduler.runUntil(1_000)
    const results = [1, 2, 3].map((n) => server.propose(n).result())
    scheduler.runUntil(1_010)
    expect(await Promise.all(results)).toEqual([1, 3, 6])
  })
})
