import { describe, expect, it } from '@jest/globals'
import { concatMap, EMPTY, from, map, throwError } from 'rxjs'
import type { StateMachine } from '../../streams/sinks/stateMachine.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import { logIndex, term } from '../../src/raft/ids.js'
import type { StopReason } from '../../streams/server/createRaft.js'
import type { OpenStorage } from '../../streams/storage/storage.js'
import { alone, cluster, type Given, now, type Options, seen, story } from './cluster.js'
import { allComplete, ends, failOnUnhandledErrors, streamsOf } from './ends.js'

const unhandled = failOnUnhandledErrors()

describe('what stops a server', () => {
  const failed: StopReason = { _tag: 'StorageFailed', message: 'fsync: EIO' }
  const bug = new Error('a bug')
  const breach = (message: string, cause?: unknown): StopReason => ({ _tag: 'StateMachineFailed', message, cause })
  const answering =
    (answer: (index: number) => ReadonlyArray<number>): StateMachine<string, string> =>
    (msg$) =>
      msg$.pipe(concatMap(({ index }) => answer(index).map((index) => ({ index: logIndex(index), result: '' }))))
  const storage =
    (different: (open: OpenStorage) => Partial<OpenStorage>) =>
    ({ disk }: Given): Partial<Options> => ({
      storage: { open: () => from(disk.open()).pipe(map((open) => ({ ...open, ...different(open) }))) },
    })

  const stops: ReadonlyArray<{
    readonly what: string
    readonly server: Partial<Options> | ((given: Given) => Partial<Options>)
    readonly why: object
  }> = [
    {
      what: 'a storage that cannot be opened',
      server: { storage: { open: () => throwError((): unknown => ({ _tag: 'Locked', message: 'Another has it.' })) } },
      why: { _tag: 'Locked', message: 'Another has it.' },
    },
    {
      what: 'a storage that throws on being opened',
      server: {
        storage: {
          open: () => {
            throw bug
          },
        },
      },
      why: { _tag: 'Failed', message: 'a bug', cause: bug },
    },
    {
      what: 'a storage that opens without a word',
      server: { storage: { open: () => EMPTY } },
      why: { _tag: 'Failed', message: 'The storage completed without an OpenStorage: open() must emit one.', cause: expect.any(Error) },
    },
    {
      what: 'a storage that holds nonsense',
      server: storage(() => ({ recovered: JSON.parse('{}') as OpenStorage['recovered'] })),
      why: { _tag: 'Failed', message: expect.any(String), cause: expect.anything() },
    },
    { what: 'a write that fails', server: storage(() => ({ write: () => throwError((): unknown => failed) })), why: failed },
    {
      what: 'a write that throws',
      server: storage(() => ({
        write: () => {
          throw bug
        },
      })),
      why: { _tag: 'Failed', message: 'a bug', cause: bug },
    },
    {
      what: 'a network that fails',
      server: { network: () => throwError((): unknown => ({ _tag: 'AddressInUse', message: 'Taken.' })) },
      why: { _tag: 'AddressInUse', message: 'Taken.' },
    },
    {
      what: 'a network that throws',
      server: {
        network: () => {
          throw bug
        },
      },
      why: { _tag: 'Failed', message: 'a bug', cause: bug },
    },
    {
      what: 'a state machine that answers out of order',
      server: { stateMachine: answering((index) => [index + 1]) },
      why: breach('The state machine answered for index 3 where 2 was next: answer each command once, in order.'),
    },
    {
      what: 'a state machine that answers twice',
      server: { stateMachine: answering((index) => [index, index]) },
      why: breach('The state machine answered for index 2 where nothing was asked: answer each command once, in order.'),
    },
    {
      what: 'a state machine that completes',
      server: { stateMachine: () => EMPTY },
      why: breach('The state machine completed while its server runs: it must answer as long as it is subscribed to.'),
    },
    {
      what: 'a state machine that fails',
      server: {
        stateMachine: (msg$) =>
          msg$.pipe(
            map(() => {
              throw bug
            }),
          ),
      },
      why: breach('The state machine failed; what it threw is the cause.', bug),
    },
    {
      what: 'a state machine that throws',
      server: {
        stateMachine: () => {
          throw bug
        },
      },
      why: breach('The state machine failed; what it threw is the cause.', bug),
    },
    {
      what: 'a codec that cannot read what is committed',
      server: {
        codec: {
          encode: () => new Uint8Array(1),
          decode: () => {
            throw bug
          },
        },
      },
      why: breach(
        'The command at index 2 cannot be decoded: every server of a cluster must use the same codec. What `decode` threw is the cause.',
        bug,
      ),
    },
    {
      what: 'a random generator that fails',
      server: {
        random: () => {
          throw bug
        },
      },
      why: { _tag: 'Failed', message: 'a bug', cause: bug },
    },
    {
      what: 'a disk that lied: its log is newer than its term',
      server: storage(({ recovered }) => ({
        recovered: { ...recovered, log: recovered.log.append([commandEntry(term(9), new Uint8Array(1))]) },
      })),
      why: {
        _tag: 'InvariantViolation',
        message: expect.stringContaining('no entry is newer than currentTerm'),
        cause: expect.objectContaining({ invariant: 'no entry is newer than currentTerm' }),
      },
    },
  ]

  it.each(stops)('$what', ({ server: different, why }) => {
    const { server, run, scheduler } = alone({ server: different })
    const watched = streamsOf(server).map((stream$) => seen(stream$))
    server.start()
    run(1_000)
    const told = story(server.propose('hello'))
    run(1_000)
    expect(seen(server.stopped$)).toEqual([why, '|'])
    expect(ends(watched, server)).toEqual(allComplete)
    expect(told.at(-1)).toBe('|')
    expect(scheduler.step()).toBe(false)
  })

  it('a follower whose disk fails stops; what waited for the disk is never said, and the others go on', () => {
    let failing: unknown = null
    const { servers, disks, elect, run } = cluster({
      server: ({ disk }) => ({
        storage: {
          open: () =>
            disk
              .open()
              .pipe(
                map((open) => ({ ...open, write: (batch) => (failing === disk ? throwError((): unknown => failed) : open.write(batch)) })),
              ),
        },
      }),
    })
    const { leader, followers } = elect()
    const acknowledged: number[] = []
    leader.inspect$.subscribe(({ event }) => {
      if (event._tag === 'Received' && event.message._tag === 'AppendEntriesReply' && event.message.from === followers[0]!.id)
        acknowledged.push(event.message.matchIndex)
    })
    failing = disks.get(followers[0]!.id)
    const told = story(leader.propose('hello'))
    run(2_000)
    expect(servers.map((server) => now(server.stopped$)?._tag)).toEqual(
      servers.map((server) => (server === followers[0] ? 'StorageFailed' : undefined)),
    )
    expect(told.at(-2)).toBe('Applied 2 HELLO')
    expect(acknowledged.filter((matchIndex) => matchIndex > 1)).toEqual([])
  })

  it('nothing else: what watchers throw is theirs', async () => {
    const { server, lead } = alone()
    server.role$.subscribe(() => {
      throw bug
    })
    lead()
    expect(now(server.role$)).toBe('Leader')
    expect(await unhandled.take()).toEqual([bug, bug, bug]) // Follower, Candidate, Leader
  })
})
