import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { from, Subject } from 'rxjs'
import { messageSeq, nodeId, term } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import type { MemoryNetworkOptions } from '../../streams/network/memory/options.js'

const ids = ['n1', 'n2', 'n3'] as const
type Id = (typeof ids)[number]

const message = (sender: Id, to: Id, re: number): Message => ({
  _tag: 'RequestVoteReply',
  from: nodeId(sender),
  to: nodeId(to),
  re: messageSeq(re),
  term: term(1),
  voteGranted: true,
})

/** Three servers that only listen, and what each has heard, such as `n1>n2 7`. */
const cluster = (options: MemoryNetworkOptions = {}) => {
  const scheduler = new VirtualScheduler()
  const network = memoryNetwork({ scheduler, ...options })
  const heard: string[] = []
  const senders = new Map(ids.map((id) => [id, new Subject<Message>()] as const))
  for (const [id, message$] of senders) {
    from(network.join(id)(message$)).subscribe((event) => {
      heard.push(
        event._tag === 'Received' ? `${event.message.from}>${id} ${'re' in event.message ? event.message.re : ''}` : `${id}: ${event._tag}`,
      )
    })
  }
  let re = 0
  const send = (sender: Id, to: Id): void => senders.get(sender)!.next(message(sender, to, re++))
  /** Everyone sends to everyone; who hears whom. */
  const pairs = (): string => {
    heard.length = 0
    for (const a of ids) for (const b of ids) if (a !== b) send(a, b)
    scheduler.runUntil(scheduler.now() + 100)
    return heard.map((line) => line.split(' ')[0]).join(' ')
  }
  return { network, scheduler, heard, send, pairs }
}

describe('cuts', () => {
  const everyone = 'n1>n2 n1>n3 n2>n1 n2>n3 n3>n1 n3>n2'

  it('everyone hears everyone until something is cut', () => {
    expect(cluster().pairs()).toBe(everyone)
  })

  it('a cut is of both directions, a one-way cut of one', () => {
    const { network, pairs } = cluster()
    network.cut('n1', 'n2')
    expect(pairs()).toBe('n1>n3 n2>n3 n3>n1 n3>n2')
    network.heal()
    network.cutOneWay('n1', 'n2')
    expect(pairs()).toBe('n1>n3 n2>n1 n2>n3 n3>n1 n3>n2')
  })

  it('an isolated server hears nobody and is heard by nobody, until it rejoins', () => {
    const { network, pairs } = cluster()
    network.isolate('n2')
    expect(pairs()).toBe('n1>n3 n3>n1')
    network.cut('n1', 'n3')
    network.rejoin('n2')
    expect(pairs()).toBe('n1>n2 n2>n1 n2>n3 n3>n2')
  })

  it('heal takes everything back', () => {
    const { network, pairs } = cluster()
    network.isolate('n2')
    network.cut('n1', 'n3')
    network.heal()
    expect(pairs()).toBe(everyone)
  })
})

describe('faults', () => {
  const options = fc.record({
    delayMs: fc.tuple(fc.nat(1), fc.nat(3)).map(([min, more]) => ({ min, max: min + more })),
    loss: fc.constantFrom(0, 0.3),
    duplication: fc.constantFrom(0, 0.3),
    reordering: fc.constantFrom(0, 0.3),
    seed: fc.nat(),
  })
  const dice = (seed: number) => {
    let state = seed
    return () => (state = (Math.imul(state, 48_271) + 11) >>> 0) / 2 ** 32
  }
  /** Messages at moments, with waiting in between. */
  const script = fc.array(
    fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids), fc.nat(2)).filter(([a, b]) => a !== b),
    { maxLength: 60 },
  )

  const run = ({ seed, ...faults }: MemoryNetworkOptions & { readonly seed: number }, steps: ReadonlyArray<readonly [Id, Id, number]>) => {
    const { network, scheduler, heard, send } = cluster({ ...faults, random: dice(seed) })
    for (const [a, b, waitMs] of steps) {
      send(a, b)
      scheduler.runUntil(scheduler.now() + waitMs)
    }
    scheduler.runUntil(scheduler.now() + 100)
    return { heard, stats: network.stats }
  }

  it('the same dice give the same run', () => {
    fc.assert(
      fc.property(options, script, (given, steps) => {
        expect(run(given, steps)).toEqual(run(given, steps))
      }),
    )
  })

  it('everything that was sent is accounted for', () => {
    fc.assert(
      fc.property(options, script, (given, steps) => {
        const { heard, stats } = run(given, steps)
        expect(stats.delivered).toBe(heard.length)
        expect(stats.sent).toBe(steps.length)
        expect(stats.delivered).toBe(stats.sent - stats.lost + stats.duplicated)
      }),
      { numRuns: 300 },
    )
  })

  it('without reordering, what one server sends another stays in order', () => {
    fc.assert(
      fc.property(options, script, (given, steps) => {
        const { heard } = run({ ...given, reordering: 0 }, steps)
        for (const a of ids) {
          for (const b of ids) {
            const numbers = heard.filter((line) => line.startsWith(`${a}>${b} `)).map((line) => Number(line.split(' ')[1]))
            expect(numbers).toEqual([...numbers].sort((x, y) => x - y))
          }
        }
      }),
    )
  })

  it('can change in the middle of a run without breaking the order', () => {
    const { network, scheduler, heard, send } = cluster({ delayMs: { min: 9, max: 9 } })
    send('n1', 'n2')
    network.setFaults({ delayMs: { min: 0, max: 0 } })
    send('n1', 'n2')
    send('n3', 'n2')
    scheduler.runUntil(20)
    expect(heard).toEqual(['n3>n2 2', 'n1>n2 0', 'n1>n2 1'])
  })

  it('casts no dice where nothing goes wrong', () => {
    const { pairs } = cluster({
      random: () => {
        throw new Error('cast')
      },
    })
    expect(pairs()).not.toBe('')
  })
})

describe('single links', () => {
  it('a cut of one direction is mended, and no other', () => {
    const { network, pairs } = cluster()
    network.cut('n1', 'n2')
    network.mend('n1', 'n2')
    expect(pairs()).toBe('n1>n2 n1>n3 n2>n3 n3>n1 n3>n2')
  })

  it('a slow one is slow in one direction, until it is told otherwise', () => {
    const { network, send, scheduler, heard } = cluster()
    network.slow('n1', 'n2', { min: 50, max: 50 })
    send('n1', 'n2')
    send('n2', 'n1')
    scheduler.runUntil(49)
    expect(heard).toEqual(['n2>n1 1'])
    scheduler.runUntil(50)
    expect(heard).toEqual(['n2>n1 1', 'n1>n2 0'])
    network.slow('n1', 'n2', null)
    send('n1', 'n2')
    scheduler.runUntil(51)
    expect([heard[2], network.stats.slowed]).toEqual(['n1>n2 2', 1])
  })

  it('a reset loses what is under way, tells both ends, and lets pass what comes after', () => {
    const { network, send, scheduler, heard } = cluster({ delayMs: { min: 10, max: 10 } })
    send('n1', 'n2')
    send('n1', 'n3')
    network.reset('n1', 'n2')
    send('n1', 'n2')
    scheduler.runUntil(20)
    expect(heard).toEqual(['n1: Unreachable', 'n2: Unreachable', 'n1>n3 1', 'n1>n2 2'])
    expect(network.stats.reset).toBe(1)
  })
})

describe('a process that is stopped', () => {
  it('gets what waits for it when it goes on, in its order, and what waits counts against the bound', () => {
    const { network, send, scheduler, heard } = cluster({ maxInFlight: 2 })
    network.hold('n2')
    send('n1', 'n2')
    send('n3', 'n2')
    send('n1', 'n2')
    send('n1', 'n2')
    scheduler.runUntil(10)
    expect(heard).toEqual(['n1: Unreachable'])
    network.release('n2')
    expect(heard).toEqual(['n1: Unreachable', 'n1>n2 0', 'n3>n2 1', 'n1>n2 2'])
    expect(network.stats).toMatchObject({ held: 3, overflowed: 1, delivered: 3 })
  })
})
