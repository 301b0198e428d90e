import { describe, expect, it } from '@jest/globals'
import { from, map, of } from 'rxjs'
import type { ApplyMsg } from '../../streams/sinks/stateMachine.js'
import { type Codec, json, utf8 } from '../../streams/wire/codec.js'
import { seeded } from '../../streams/testing/random.js'
import { explain, shrink, simulate } from '../../streams/testing/simulate.js'
import type { SimulateOptions } from '../../streams/testing/simulate/options.js'
import type { Workload } from '../../streams/testing/simulate/workload.js'
import { type FaultName, faultNames } from '../../streams/testing/simulate/faults/index.js'
import { searchHistory } from '../../streams/testing/simulate/history.js'
import { type RegisterCommand, type RegisterResult, registers } from '../../streams/testing/simulate/registers.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import { logIndex, term } from '../../src/raft/ids.js'
import type { Committed } from '../../streams/testing/checkers/record.js'
import { Window } from '../../streams/testing/checkers/window.js'
import { Offers } from '../../streams/testing/simulate/offers.js'

const all = (weight: number) => Object.fromEntries(faultNames.map((name) => [name, weight])) as Record<FaultName, number>

describe('simulate', () => {
  it.each([1, 2, 3])('the same seed twice is the same history: seed %d', (seed) => {
    const { plan, ...first } = simulate(seed, { forMs: 15_000 })
    const second = simulate(seed, { forMs: 15_000 })
    expect(second).toMatchObject(first)
    expect(second.plan).toEqual(plan)
    expect(first.violation).toBeNull()
    expect(first.operations).toBeGreaterThan(20)
  })

  it('other seeds are other histories', () => {
    expect(new Set([1, 2, 3, 4].map((seed) => simulate(seed, { forMs: 2_000 }).hash)).size).toBe(4)
  })

  it('without faults one leader is elected and everything that is asked for is answered', () => {
    const { elections, operations, violation, recoveries } = simulate(5, { servers: 3, forMs: 20_000, faults: {} })
    expect({ elections, violation, recoveries }).toEqual({ elections: 1, violation: null, recoveries: 1 })
    expect(operations).toBeGreaterThan(150)
  })

  it('with all of them, every fault has an effect', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 6 && seen.size < faultNames.length; seed++) {
      const { faults, violation } = simulate(seed, { servers: 5, forMs: 60_000, faults: all(1), operationsPerSecond: 20 })
      expect(violation).toBeNull()
      for (const [name, { effective }] of Object.entries(faults)) if (effective > 0) seen.add(name)
    }
    expect([...seen].sort()).toEqual([...faultNames].sort())
  })

  it('a drawn fault that met nothing of what it is about had no chance: no operation was answered while it lasted', () => {
    const { violation, faults } = simulate(1795870656345, { forMs: 120_000 })
    expect(violation).toBeNull()
    expect(faults.lostAnswer?.asked ?? 0).toBeLessThan(4)
  })

  it('a fault that was asked for and had no effect fails the run: there is no client that could lose an answer', () => {
    const { violation, faults } = simulate(1, { servers: 3, forMs: 120_000, faults: { lostAnswer: 1 }, operationsPerSecond: 0 })
    expect(violation?.name).toBe('a fault that was asked for has an effect')
    expect(faults.lostAnswer?.asked).toBeGreaterThan(2)
    expect(faults.lostAnswer?.effective).toBe(0)
  })

  it('a plan that was handed out gives the same run again', () => {
    const { plan, hash, servers } = simulate(4, { forMs: 20_000 })
    expect(simulate(4, { servers, plan, forMs: 20_000 }).hash).toBe(hash)
  })

  it('logs are compacted, and leaders send snapshots to those who lag behind', () => {
    const runs = [1, 2, 3, 4].map((seed) => simulate(seed, { servers: 3, forMs: 30_000 }).snapshots)
    expect(runs.some(({ taken }) => taken > 20)).toBe(true)
    expect(runs.some(({ installed }) => installed > 0)).toBe(true)
  })

  it('keeps the operations as a linearizability checker takes them', () => {
    const { history, operations } = simulate(3, { servers: 3, forMs: 15_000, history: true })
    expect(history.filter((operation) => operation.return !== null)).toHaveLength(operations)
    expect(history.filter((operation) => operation.return !== null && operation.call > operation.return)).toEqual([])
  })
})

describe('the registers that are simulated by default', () => {
  it('and their twin get every command in order, where the first to answer began with a snapshot (found as seed 60002134)', () => {
    // The faults are named, so that new ones do not make another history of it. A client is told here of an entry that
    // only a server answered which then died.
    const faults = { slowApplier: 4, isolate: 2, leaderInMinority: 2, crash: 2, slowDisk: 1 }
    expect(simulate(4, { servers: 3, forMs: 20_000, operationsPerSecond: 30, linearizable: false, faults }).violation).toBeNull()
  })

  it('and their twin agree on a command that a stalled server took up after its client went on (CI found it: seed 1795623432442)', () => {
    const { stateMachine, model, command } = registers()
    const die = seeded(3)
    const commands = [1, 2, 2, 1, 3, 1, 3].map((serial) => ({
      ...command(die, 7, serial),
      op: 'CompareAndSet' as const,
      expected: null,
      key: 0,
    }))
    const { apply } = model!()
    const twin = commands.map((each, i) => apply(i + 1, each))
    const machine = stateMachine()
    const answers: unknown[] = []
    if (typeof machine === 'function') throw new Error('they give snapshots of themselves')
    const apply$ = of(...commands.map((each, i) => ({ index: logIndex(i + 1), term: term(1), command: each })))
    from(machine.stateMachine(apply$, null)).subscribe(({ result }) => answers.push(result))
    expect(answers).toEqual([true, false, false, null, false, null, false])
    expect(twin).toEqual(answers)
  })
})

/** Adds numbers up, and is wrong in some way. */
const adding = (result: (sum: number, index: number) => number, retries = false): (() => Workload<number, number>) => {
  return () => ({
    codec: json<number>(),
    retries,
    command: (die) => Math.floor(die() * 10),
    stateMachine: () => {
      let sum = 0
      return map(({ index, command }: ApplyMsg<number>) => ({ index, result: result((sum += command), index) }))
    },
  })
}

describe('a state machine of one’s own', () => {
  it('that is right passes', () => {
    const { violation, operations } = simulate(7, { forMs: 20_000, workload: adding((sum) => sum) })
    expect(violation).toBeNull()
    expect(operations).toBeGreaterThan(20)
  })

  it('that takes something from elsewhere is found out: the servers answer differently', () => {
    let calls = 0
    const { violation } = simulate(7, { forMs: 20_000, workload: adding((sum) => sum + (calls++ > 40 ? 1 : 0)) })
    expect(violation?.name).toBe('state machines are in the same state at the same applied index (§2)')
  })

  it('that throws stops its server, which is a violation too', () => {
    const workload = adding((sum, index) => {
      if (index === 30) throw new Error('thirty')
      return sum
    })
    expect(simulate(7, { forMs: 20_000, workload }).violation).toMatchObject({
      name: 'no server stops by itself',
      message: expect.stringContaining('StateMachineFailed'),
    })
  })
})

describe('what throws inside a run is a violation, with its message, at its time', () => {
  const never = (): never => {
    throw new RangeError('out of numbers')
  }
  const right = adding((sum) => sum)
  const later = (what: () => number): (() => number) => {
    let calls = 0
    return () => (calls++ < 20 ? 0 : what())
  }

  it.each<[string, () => Workload<number, number>]>([
    ['a workload that has no more commands', () => ({ ...right(), command: later(never) })],
    ['a twin that does not know what to do', () => ({ ...right(), model: () => ({ apply: never }) })],
    ['a comparison of answers', () => ({ ...right(), same: never })],
    ['a history that cannot be written', () => ({ ...right(), operation: never })],
  ])('%s', (_, workload) => {
    const { violation, simulatedMs } = simulate(7, { servers: 3, forMs: 20_000, workload, history: true })
    expect(violation).toMatchObject({ name: 'nothing throws', message: 'RangeError: out of numbers' })
    expect(violation!.at).toBeGreaterThan(0)
    expect(violation!.at).toBe(simulatedMs)
  })
})

/** A counter without sessions, whose clients try again all the same: what is told twice is counted twice. */
const forgetful = (): Workload<{ readonly client: number; readonly serial: number }, number> => ({
  codec: json(),
  retries: true,
  command: (_, client, serial) => ({ client, serial }),
  stateMachine: () => {
    let count = 0
    return map(({ index }) => ({ index, result: ++count }))
  },
  model: () => {
    const seen = new Map<string, number>()
    return {
      apply: (_, { client, serial }) => {
        const name = `${client}.${serial}`
        const before = seen.get(name) ?? seen.size + 1
        seen.set(name, before)
        return before
      },
    }
  },
})

/** Registers whose machines agree with each other, and now and then answer what the last reader was answered. */
const stale = (): Workload<RegisterCommand, RegisterResult> => {
  const { stateMachine: _, model, ...rest } = registers()
  return {
    ...rest,
    stateMachine: () => {
      const right = model!()
      const lastRead = new Map<number, RegisterResult>()
      return map(({ index, command }: ApplyMsg<RegisterCommand>) => {
        const result = right.apply(index, command)
        if (command.op !== 'Get') return { index, result }
        const last = lastRead.get(command.key)
        lastRead.set(command.key, result)
        return { index, result: last !== undefined && index % 5 === 0 ? last : result }
      })
    },
  }
}

describe('linearizability', () => {
  it('of every operation that was answered is checked, by default', () => {
    const { linearizable, operations, history, violation } = simulate(3, { servers: 3, forMs: 15_000 })
    expect(violation).toBeNull()
    expect(linearizable).toEqual({ checked: operations, unknown: 0 })
    expect(history).toEqual([])
  })

  it.each([{ linearizable: false }, { checks: false }, { workload: adding((sum) => sum) }])('and not with %p', (options) => {
    const { linearizable } = simulate(3, { servers: 3, forMs: 5_000, ...options } as SimulateOptions)
    expect(linearizable).toEqual({ checked: 0, unknown: 0 })
  })

  it('finds stale reads that every server answers alike, where no model of the machine is given, and prints a small bad part', () => {
    const options = { servers: 3, forMs: 10_000, faults: {}, workload: stale }
    expect(simulate(2, { ...options, linearizable: false }).violation).toBeNull()
    const { violation, simulatedMs } = simulate(2, options)
    expect(violation?.name).toBe('what clients saw is linearizable')
    expect(violation?.message).toMatch(/^Not linearizable: of the \d+ operations of "\d", these [2-5] allow no order\.\n/)
    expect(violation?.message).toContain('get → ')
    expect(violation?.at).toBeLessThan(simulatedMs)
  })

  it('is unknown where the search met its limit, and then not counted as checked', () => {
    const { history, operations } = simulate(3, { servers: 3, forMs: 15_000, history: true })
    const model = registers().linearizable!
    expect(searchHistory(history, model, { maxStates: 1, maxSteps: 1 })).toEqual({ checked: 0, unknown: operations, violation: null })
    expect(searchHistory(history, model)).toEqual({ checked: operations, unknown: 0, violation: null })
  })
})

describe('shrinking', () => {
  const options = { servers: 3, forMs: 60_000, workload: forgetful, faults: all(1) }

  it('leaves the fewest faults with which it still fails, and says how to repeat it', () => {
    const failing = simulate(1, options)
    expect(failing.violation?.name).toBe('the state machine does what its model does')
    const shrunk = shrink(1, options, 120)!
    expect(shrunk.result.violation?.name).toBe(failing.violation?.name)
    expect(shrunk.result.plan.flatMap(({ faults }) => faults).length).toBeLessThanOrEqual(3)
    expect(shrunk.runs).toBeLessThanOrEqual(120)
    expect(simulate(1, shrunk.options).violation).toEqual(shrunk.result.violation)
    // A round in which nothing is done is left out, or does not last.
    const empty = shrunk.result.plan.filter(({ faults }) => faults.length === 0)
    expect(empty.filter(({ chaosMs }) => chaosMs > 1_000)).toEqual([])
    const transcript = explain(1, shrunk.options)
    expect(transcript.split('\n')[0]).toMatch(/^seed 1, 3 servers/)
    expect(transcript).toContain('the last steps:')
    expect(transcript).toContain('the state machine does what its model does')
  })

  it('of what does not fail there is nothing to make small', () => {
    expect(shrink(1, { servers: 3, forMs: 5_000 })).toBeNull()
  })
})

describe('liveness', () => {
  it('a state machine that was slow has no work left when it is healed, however much had gathered (found at 2,000 operations a second: seed 40000058)', () => {
    const plan = [{ chaosMs: 7_000, faults: [{ name: 'slowApplier', atMs: 300, forMs: 6_500, seed: 10 }] }] as const
    const { violation, commits } = simulate(10, { servers: 3, operationsPerSecond: 4_000, clients: 12, plan, linearizable: false })
    expect(violation).toBeNull()
    expect(commits).toBeGreaterThan(20_000)
  })

  it('a cluster that elects no leader after healing is a violation', () => {
    // Every timeout falls in the same millisecond, so that everyone votes for itself, for ever.
    const tuning = { electionTimeoutMs: { min: 300, max: 300 }, heartbeatMs: 100 }
    const { violation } = simulate(1, { servers: 5, forMs: 3_000, faults: {}, tuning })
    expect(violation).toMatchObject({ name: expect.stringContaining('(liveness)'), message: expect.stringContaining('no leader') })
  })
})

describe('what cannot be simulated is refused before anything runs', () => {
  const refusals: ReadonlyArray<readonly [option: string, seed: number, options: unknown]> = [
    ['seed', NaN, {}],
    ['seed', 1.5, {}],
    ['seed', 2 ** 60, {}],
    ['servers', 1, { servers: 2 }],
    ['servers', 1, { servers: 2.5 }],
    ['servers', 1, { servers: 10 }],
    ['forMs', 1, { forMs: NaN }],
    ['forMs', 1, { forMs: -1 }],
    ['operationsPerSecond', 1, { operationsPerSecond: -1 }],
    ['operationsPerSecond', 1, { operationsPerSecond: Infinity }],
    ['clients', 1, { clients: 0 }],
    ['faults', 1, { faults: { dropp: 1 } }],
    ['faults', 1, { faults: { drop: -1 } }],
    ['plan', 1, { plan: 3 }],
    ['plan', 1, { plan: [{ chaosMs: NaN, faults: [] }] }],
    ['plan', 1, { plan: [{ chaosMs: 1_000, faults: [{ name: 'nope', atMs: 1, forMs: 1, seed: 1 }] }] }],
    ['heartbeatMs', 1, { tuning: { heartbeatMs: 5_000 } }],
    ['workload', 1, { workload: () => ({}) }],
  ]
  it.each(refusals)('%s of %p, %p', (option, seed, options) => {
    expect(() => simulate(seed, options as SimulateOptions)).toThrow(expect.objectContaining({ name: 'InvalidOption', option }))
  })

  it('and clusters of other sizes than three, five and seven are simulated', () => {
    for (const servers of [4, 6, 8, 9]) expect(simulate(servers, { servers, forMs: 10_000 }).violation).toBeNull()
  })
})

describe('what clients offered', () => {
  const committed = (...commands: ReadonlyArray<string>): Window<Committed> => {
    const window = new Window<Committed>()
    commands.forEach((command, i) =>
      window.set(i + 1, { term: term(1), entry: commandEntry(term(1), utf8.encode(command)), inTerm: term(1) }),
    )
    return window
  }
  const offers = (...commands: ReadonlyArray<string>): Offers => {
    const made = new Offers(utf8 as Codec<unknown>)
    for (const command of commands) {
      made.offered(command)
      made.ended()
    }
    return made
  }

  it('may stand in the log as often as it was offered', () => {
    expect(offers('a', 'a', 'b').scan(committed('a', 'b', 'a'))).toBeNull()
  })

  it('and not where it was refused', () => {
    const made = offers('a', 'a')
    made.refused('a')
    expect(made.scan(committed('a'))).toBeNull()
    expect(made.scan(committed('a', 'a'))).toEqual({
      name: 'what was refused was not appended (§8)',
      message: 'the command at 2 stands in the log 2 times, and was offered 1 times without being refused',
    })
  })

  it('is told its end', () => {
    const made = offers('a')
    made.offered('b')
    expect(made.scan(committed('a'))?.name).toBe('the story of every proposal ends')
  })
})

it('a fault that this cluster cannot have, and that was asked for by name, has tested nothing', () => {
  const { violation } = simulate(3, { servers: 3, forMs: 120_000, faults: { majorityRing: 1 } })
  expect(violation?.message).toMatch(/^majorityRing was asked for \d+ times and never had an effect$/)
})
