import { describe, expect, it } from '@jest/globals'
import { delay, delayWhen, EMPTY, from, map, merge, of, Subject, throwError, timer } from 'rxjs'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { commandEntry, noopEntry } from '../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, term } from '../../src/raft/ids.js'
import type { AppendEntries, InstallSnapshot, Message } from '../../src/raft/messages.js'
import { utf8 } from '../../streams/wire/codec.js'
import {
  alone,
  cluster,
  type ClusterOptions,
  type Given,
  leading,
  now,
  type Options,
  seen,
  type Server,
  shouting,
  story,
} from './cluster.js'
import { failOnUnhandledErrors } from './ends.js'
import { remembering } from './remembering.js'

failOnUnhandledErrors()

const baseOf = (server: Server): number => now(server.state$)!.log.base.index

/** Proposes so many commands, each after the former was applied. */
const write = (server: Server, run: (ms: number) => void, ...commands: ReadonlyArray<string>): void => {
  for (const command of commands) {
    const told = story(server.propose(command))
    run(50)
    expect(told.at(-2)).toMatch(/^Applied/)
  }
}

const letters = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (i % 26)))

describe('snapshot()', () => {
  const one = (different: Partial<Options> = {}, storage = {}) => {
    const machine = remembering()
    const it = alone({ server: { stateMachine: machine.stateMachine, snapshots: {}, ...different }, storage })
    return { ...it, machine }
  }

  it('says what becomes of it, and the log then begins after it', () => {
    const { server, lead, run, machine } = one({}, { writeMs: 5 })
    expect(server.snapshot(1, utf8.encode(''))).toEqual({ _tag: 'NotGiven' })
    lead()
    write(server, run, 'a', 'b', 'c')
    expect(server.snapshot(5, utf8.encode('abcd'))).toEqual({ _tag: 'NotGiven' })
    expect(server.snapshot(3, utf8.encode('ab'))).toEqual({ _tag: 'Taking' })
    expect(server.snapshot(4, machine.taken().data)).toEqual({ _tag: 'Busy' })
    expect(baseOf(server)).toBe(0)
    run(20)
    expect(baseOf(server)).toBe(3)
    expect(server.snapshot(3, utf8.encode('ab'))).toEqual({ _tag: 'NotNewer' })
    expect(server.snapshot(4, machine.taken().data)).toEqual({ _tag: 'Taking' })
    run(20)
    const metrics = seen(server.metrics$)
    run(0)
    expect(metrics).toMatchObject([
      { snapshotIndex: 4, snapshotBytes: 3, snapshotsTaken: 2, snapshotsInstalled: 0, logEntries: 0, logBytes: 0 },
    ])
    server.kill()
    expect(server.snapshot(4, machine.taken().data)).toEqual({ _tag: 'NotGiven' })
  })

  it('may be called from within apply$, and from within the state machine', () => {
    const { server, lead, run, machine } = one()
    lead()
    const answers = seen(
      server.apply$.pipe(map(({ index, command }) => server.snapshot(index, utf8.encode(machine.state() + command))._tag)),
    )
    write(server, run, 'a', 'b')
    expect(answers).toEqual(['Taking', 'Taking'])
    expect(baseOf(server)).toBe(3)

    let offer: (index: number) => string = () => ''
    const within = alone({
      server: {
        stateMachine: (msg$) => shouting(msg$.pipe(map((msg) => ({ ...msg, command: offer(msg.index) }))), null),
        snapshots: {},
      },
    })
    offer = (index) => within.server.snapshot(index, utf8.encode('state'))._tag
    within.lead()
    expect(story(within.server.propose('a'))).toEqual([])
    const told = story(within.server.propose('b'))
    within.run(50)
    expect(told.at(-2)).toBe('Applied 3 TAKING')
    expect(baseOf(within.server)).toBe(3)
  })

  it('needs the option', () => {
    const { server } = alone()
    expect(() => server.snapshot(1, utf8.encode(''))).toThrow('snapshots: is needed for taking any')
  })
})

describe('the policy', () => {
  const one = (snapshots: Partial<NonNullable<Options['snapshots']>>, disk: ClusterOptions['storage'] = {}) => {
    const machine = remembering()
    const it = alone({ server: { ...machine.options, snapshots: { take: machine.take, ...snapshots } }, storage: disk })
    const bases = seen(it.server.state$.pipe(map(({ log }) => log.base.index)))
    return { ...it, machine, bases: () => [...new Set(bases)] }
  }

  it('takes one after so many entries', () => {
    const { lead, run, server, bases, machine } = one({ everyEntries: 5 })
    lead()
    write(server, run, ...letters(12))
    expect(bases()).toEqual([0, 5, 10])
    expect(machine.state()).toBe('abcdefghijkl')
  })

  it('takes one after so many bytes', () => {
    const { lead, run, server, bases } = one({ everyBytes: 100 })
    lead()
    write(server, run, ...Array.from({ length: 8 }, () => 'x'.repeat(30)))
    expect(bases()).toEqual([0, 5, 9])
  })

  it('takes one at a time, however slow the disk', () => {
    const { lead, run, server, bases } = one({ everyEntries: 5 }, { writeMs: 200 })
    lead()
    run(1_000)
    for (const letter of letters(40)) {
      server.propose(letter)
      run(20)
    }
    run(2_000)
    const [, ...taken] = bases()
    expect(taken.length).toBeGreaterThan(2)
    expect(baseOf(server)).toBeGreaterThan(36)
  })

  const bug = new Error('a bug')
  it.each([
    {
      what: 'fails',
      take: () => throwError(() => bug),
      message: 'The state machine gave no snapshot; what it threw is the cause.',
      cause: bug,
    },
    {
      what: 'is of a command to come',
      take: (lastApplied: number) => of({ index: logIndex(lastApplied + 1), data: utf8.encode('') }),
      message: 'The state machine gave a snapshot of index 4, and was not given that command yet: it must say up to where its state goes.',
    },
  ])('one that $what stops the server', ({ take, message, cause }) => {
    const { lead, run, server } = one({ everyEntries: 3, take })
    const stopped = seen(server.stopped$)
    lead()
    for (const letter of letters(2)) server.propose(letter)
    run(100)
    expect(stopped).toEqual([{ _tag: 'StateMachineFailed', message, cause }, '|'])
  })

  it('lets a machine give none', () => {
    const asked: number[] = []
    const { lead, run, server, bases } = one({ everyEntries: 3, take: (index) => (asked.push(index), EMPTY) })
    lead()
    write(server, run, ...letters(4))
    expect(asked).toEqual([3, 4, 5])
    expect(bases()).toEqual([0])
  })
})

describe('a server that is started anew', () => {
  it('has its machine begin with the snapshot, then with the commands after it', () => {
    const machine = remembering()
    const { server, create, run, lead } = alone({ server: { ...machine.options, snapshots: { take: machine.take, everyEntries: 5 } } })
    lead()
    write(server, run, ...letters(6))
    server.kill()
    const again = create('n1')
    const told = seen(
      merge(
        again.restore$.pipe(map(({ index, data }) => `restore ${index} ${utf8.decode(data)}`)),
        again.apply$.pipe(map(({ index, command }) => `apply ${index} ${command}`)),
      ),
    )
    again.start()
    run(1_000)
    write(again, run, 'x')
    expect(told).toEqual(['restore 5 abcd', 'apply 6 e', 'apply 7 f', 'apply 9 x'])
    expect(machine.state()).toBe('abcdefx')
    expect(seen(again.applyFrom(1), ({ index }) => index)).toEqual([6, 7, 9])
  })

  it('without the option stops and says so', () => {
    const machine = remembering()
    const options: { -readonly [Name in keyof Options]?: Options[Name] } = {
      ...machine.options,
      snapshots: { take: machine.take, everyEntries: 3 },
    }
    const { server, create, run, lead } = alone({ server: () => options })
    lead()
    write(server, run, ...letters(3))
    server.kill()
    delete options.snapshots
    const again = create('n1')
    again.start()
    run(100)
    expect(now(again.stopped$)).toMatchObject({ _tag: 'StateMachineFailed', message: expect.stringMatching(/no option `snapshots`/) })
  })
})

/** Three servers of which each has a machine of its own. */
const three = (different: (machine: ReturnType<typeof remembering>, nth: number, given: Given) => Partial<Options>) => {
  const machines: ReturnType<typeof remembering>[] = []
  const it = cluster({
    server: (given) => {
      const machine = remembering()
      machines.push(machine)
      return { ...machine.options, ...different(machine, machines.length - 1, given) }
    },
  })
  return { ...it, machineOf: (server: Server) => machines[it.servers.indexOf(server)]! }
}

describe('a server that was away for long', () => {
  it('goes on with the leader’s snapshot', () => {
    const { elect, network, run, machineOf } = three(({ take }) => ({ snapshots: { take, everyEntries: 5 } }))
    const { leader, followers } = elect()
    const away = followers[0]!
    const told = seen(away.restore$, ({ index, data }) => `${index} ${utf8.decode(data)}`)
    write(leader, run, 'a')
    network.isolate(away.id)
    write(leader, run, ...letters(20))
    network.heal()
    run(2_000)
    expect(told).toEqual(['20 aabcdefghijklmnopqr'])
    expect(machineOf(away).state()).toBe(machineOf(leader).state())
    const metrics = seen(away.metrics$)
    run(0)
    expect(metrics).toMatchObject([{ snapshotsInstalled: 1, snapshotsTaken: 0 }])
  })

  it('stops and says so, where it has no use for snapshots', () => {
    const { elect, network, run } = three(
      ({ take }, nth) => ({ snapshots: nth === 0 ? undefined : { take, everyEntries: 5 } }) as Partial<Options>,
    )
    const { leader, followers } = elect()
    const without = [leader, ...followers].find(({ id }) => id === 'n1')!
    const stopped = seen(without.stopped$)
    network.isolate('n1')
    run(2_000)
    const leads = leading([leader, ...followers].filter(({ id }) => id !== 'n1'))
    write(leads, run, ...letters(20))
    network.heal()
    run(2_000)
    expect(stopped).toMatchObject([{ _tag: 'StateMachineFailed', message: expect.stringMatching(/no option `snapshots`/) }, '|'])
  })

  it('and led before cannot say what came of proposals that its machine never got', () => {
    let slow = ''
    const { elect, network, run, machineOf } = three(({ stateMachine, take }, nth, { scheduler }) => ({
      maxApplying: 1,
      snapshots: { take, everyEntries: 5 },
      stateMachine: (msg$, snapshot) =>
        stateMachine(msg$.pipe(delayWhen(() => timer(slow === `n${nth + 1}` ? 5_000 : 0, scheduler))), snapshot),
    }))
    const { leader, followers } = elect()
    write(leader, run, 'a')
    slow = leader.id
    const told = ['b', 'c', 'd'].map((command) => story(leader.propose(command)))
    run(50)
    expect(told).toEqual([3, 4, 5].map((index) => [`Appended ${index}`, `Committed ${index}`]))
    network.isolate(leader.id)
    run(2_000)
    const next = leading(followers)
    write(next, run, ...letters(10))
    network.heal()
    run(2_000)
    expect(baseOf(leader)).toBeGreaterThan(5)
    expect(told.map((events) => events.length)).toEqual([2, 2, 2])
    run(3_000)
    expect(told.map((events) => events.slice(2))).toEqual([
      ['Applied 3 ab', '|'],
      ['Indeterminate 4', '|'],
      ['Indeterminate 5', '|'],
    ])
    slow = ''
    write(next, run, 'x')
    run(6_000)
    expect(machineOf(leader).state()).toBe('abcdabcdefghijx')
  })
})

describe('a follower, whatever a leader sends', () => {
  const configuration = votersOnly(['n1', 'n2', 'n3'].map(nodeId))
  let seqs = 0
  const about = () => ({ from: nodeId('n2'), to: nodeId('n1'), seq: messageSeq(++seqs), term: term(1), leaderId: nodeId('n2') })
  const append = (prev: number, ...commands: ReadonlyArray<string>): AppendEntries => ({
    _tag: 'AppendEntries',
    ...about(),
    prevLogIndex: logIndex(prev),
    prevLogTerm: term(prev === 0 ? 0 : 1),
    entries: commands.map((command) => (command === '' ? noopEntry(term(1)) : commandEntry(term(1), utf8.encode(command)))),
    leaderCommit: logIndex(prev + commands.length),
  })
  const install = (lastIncludedIndex: number, state: string, from = 0, to = state.length): InstallSnapshot => ({
    _tag: 'InstallSnapshot',
    ...about(),
    lastIncludedIndex: logIndex(lastIncludedIndex),
    lastIncludedTerm: term(1),
    configuration,
    offset: from,
    data: utf8.encode(state.slice(from, to)),
    done: to === state.length,
  })

  /** n1, alone with what a test sends it as n2. */
  const one = (different: (machine: ReturnType<typeof remembering>, given: Given) => Partial<Options> = () => ({})) => {
    const machine = remembering()
    const it = cluster({
      server: (given) => ({ ...machine.options, ...different(machine, given) }),
      network: { delayMs: { min: 1, max: 1 } },
    })
    const toN1$ = new Subject<Message>()
    const replies: Message[] = []
    from(it.network.join('n2')(toN1$)).subscribe((event) => {
      if (event._tag === 'Received') replies.push(event.message)
    })
    const server = it.servers[0]!
    const restored = seen(server.restore$, ({ index }) => index)
    server.start()
    return {
      server,
      machine,
      restored,
      run: it.run,
      send: (...messages: ReadonlyArray<Message>) => {
        for (const message of messages) toN1$.next(message)
        it.run(10)
        return replies.splice(0).map((reply) => (reply._tag === 'InstallSnapshotReply' ? [reply.matchIndex, reply.offset] : reply._tag))
      },
    }
  }

  it('takes a snapshot in pieces, each once, in order, and then goes on', () => {
    const { send, machine, restored, server } = one()
    expect(send(install(5, 'abcd', 0, 2))).toEqual([[0, 2]])
    expect(send(install(5, 'abcd', 0, 2))).toEqual([[0, 2]])
    expect(send(install(5, 'abcd', 3, 4))).toEqual([[0, 2]])
    expect(send(install(5, 'abcd', 2, 4))).toEqual([[5, 0]])
    expect(send(install(5, 'abcd', 2, 4), install(5, 'abcd'))).toEqual([
      [5, 0],
      [5, 0],
    ])
    send(append(5, 'e', 'f'))
    expect(machine.state()).toBe('abcdef')
    expect(restored).toEqual([5])
    expect(baseOf(server)).toBe(5)
  })

  it('keeps what it has where the snapshot is of no later time: it changes nothing', () => {
    const { send, machine, restored, server } = one()
    send(append(0, '', 'a', 'b', 'c'))
    const before = now(server.state$)!.log
    expect(send(install(3, 'WRONG'), install(4, 'WRONG'))).toEqual([
      [3, 0],
      [4, 0],
    ])
    expect(now(server.state$)!.log).toBe(before)
    send(append(4, 'd'))
    expect(machine.state()).toBe('abcd')
    expect(restored).toEqual([])
  })

  it('a snapshot that arrives while commands are being applied changes nothing for them', () => {
    const { send, machine, restored, run } = one(({ stateMachine }, { scheduler }) => ({
      stateMachine: (msg$, snapshot) => stateMachine(msg$.pipe(delay(100, scheduler)), snapshot),
    }))
    send(append(0, '', 'a', 'b', 'c'))
    expect(machine.state()).toBe('')
    expect(send(install(3, 'WRONG'), install(9, 'abcdefgh'))).toEqual([
      [3, 0],
      [9, 0],
    ])
    send(append(9, 'i'))
    expect([machine.state(), restored]).toEqual(['', []])
    run(100)
    expect([machine.state(), restored]).toEqual(['abcdefgh', [9]])
    run(100)
    expect([machine.state(), restored]).toEqual(['abcdefghi', [9]])
  })
})
