import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import fc from 'fast-check'
import { firstValueFrom, from, merge, toArray } from 'rxjs'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Inspection } from '../../streams/loop/run.js'
import { settle } from '../../streams/testing/settle.js'
import { acceptsTrace } from '../../streams/testing/trace/figure2/accepts.js'
import { fromNdjson, toNdjson, type TraceLine } from '../../streams/testing/trace/line.js'
import { lineOf } from '../../streams/testing/trace/lineOf.js'
import { fork, record, type Recording, replay } from '../../streams/testing/trace/recording.js'
import { trace } from '../../streams/testing/trace/trace.js'
import { heartbeatDue, proposed, requestVote, received, timeout } from '../raft/servers.js'
import { mend, play, schedule, seed, settings } from '../raft/schedule.js'
import { cluster as virtualCluster, seen } from '../streams/cluster.js'
import { tracedCluster } from './runs.js'

const of = (lines: ReadonlyArray<TraceLine>, id: string): Recording => lines.filter((line) => line.id === id)
const elected = (): Recording => {
  const { cluster, lines } = tracedCluster(3)
  const leader = settle(cluster)
  cluster.happens(leader, proposed(1, 'x', 'y'))
  settle(cluster)
  return of(lines, leader)
}
const read = (text: string): ReadonlyArray<TraceLine> => {
  const lines = fromNdjson(text)
  if (either.isLeft(lines)) throw new Error(`line ${lines.left.line}: ${lines.left.why}`)
  return lines.right
}

describe('NDJSON', () => {
  it('holds a trace: what is read is what was written', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 3), settings, schedule, (size, given, moves) => {
        const { cluster, lines } = tracedCluster(size, given)
        play(cluster, moves)
        expect(read(toNdjson(lines))).toEqual(lines)
      }),
      { numRuns: 20, ...seed },
    )
  })

  const [line = ''] = toNdjson(elected()).split('\n')
  it.each([
    { text: `${line}\n\n{`, at: 3, why: 'not JSON' },
    { text: '[]', at: 1, why: 'the line cannot be []' },
    { text: line.replace('"id":"n1",', ''), at: 1, why: 'id cannot be missing' },
    { text: line.replace('"at":0', '"at":-1'), at: 1, why: 'at cannot be -1' },
    { text: line.replace('"currentTerm":0', '"currentTerm":0.5'), at: 1, why: 'currentTerm cannot be 0.5' },
    { text: line.replace('"Simple"', '"Complicated"'), at: 1, why: 'configuration' },
    { text: line.replace('"role":"Follower"', '"role":"King"'), at: 1, why: 'after.role cannot be "King"' },
  ])('says where a text is no trace: $why', ({ text, at, why }) => {
    expect(fromNdjson(text)).toEqual(either.left({ _tag: 'NoTrace', line: at, why: expect.stringContaining(why) }))
  })
})

describe('replay', () => {
  it('gives every server of any run the same states again, crashes and all', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 5), settings, schedule, (size, given, moves) => {
        const { cluster, lines } = tracedCluster(size, given)
        play(cluster, moves)
        mend(cluster)
        for (const id of cluster.ids) {
          const replayed = replay(read(toNdjson(of(lines, id))))
          expect(replayed).toMatchObject({ _tag: 'Same' })
          expect(replayed.steps.at(-1)!.after.log.lastIndex).toBe(cluster.server(id).log.lastIndex)
        }
      }),
      { numRuns: 40, ...seed },
    )
  })

  it('says which step came out otherwise, and in what', () => {
    const recording = elected()
    const at = recording.findIndex(({ after }) => after.commitIndex > 0)
    const changed = recording.map((line, i) => (i === at ? { ...line, after: { ...line.after, commitIndex: 0 } } : line))
    const replayed = replay(changed)
    expect(replayed).toMatchObject({ _tag: 'Differs', line: at + 1, why: 'after.commitIndex was 0 and is 1' })
    expect(replayed.steps).toHaveLength(at)
  })

  it('sees that the code has changed since', () => {
    const forgetful: typeof checkedStep = (server, event, at) => ({ ...checkedStep(server, event, at), effects: [] })
    expect(replay(elected(), { step: forgetful })).toMatchObject({
      _tag: 'Differs',
      line: 2,
      why: 'actions.1 was "RequestVote" and is missing',
    })
  })

  it.each([
    { what: 'does not begin with Started', lines: elected().slice(1) },
    { what: 'is of two servers', lines: [{ ...elected()[1]!, id: 'n9' }] },
  ])('refuses a recording that $what', ({ lines }) => {
    expect(replay(lines)).toMatchObject({ _tag: 'Differs', line: 1, why: expect.stringContaining('no step of') })
  })
})

describe('fork', () => {
  it('goes on from step k with other events', () => {
    const recording = elected()
    const [stands] = fork(recording, 1, [timeout(1)])
    expect(stands!.after.role._tag).toBe('Candidate')
    const steps = fork(recording, recording.length, [
      received(requestVote({ from: stands!.after.id, to: stands!.after.id })),
      heartbeatDue(1),
    ])
    expect(steps.map(({ after }) => after.role._tag)).toEqual(['Leader', 'Leader'])
    // Both futures begin with the same past.
    expect(replay([...recording.slice(0, 1), ...fork(recording, 1, [timeout(1)]).map(lineOf)])).toMatchObject({ _tag: 'Same' })
  })

  it('with the events that were recorded, it is the recording', () => {
    const recording = elected()
    const whole = replay(recording).steps
    for (const k of recording.keys()) {
      if (k === 0) continue
      const rest = fork(
        recording,
        k,
        whole.slice(k).map(({ event }) => event),
      )
      expect(rest.at(-1)?.after).toEqual(k === recording.length ? undefined : whole.at(-1)!.after)
    }
  })

  it.each([0, -1, 1_000, 0.5])('throws where there is no step %s', (k) => {
    expect(() => fork(elected(), k, [])).toThrow(RangeError)
  })
})

describe('the steps of real servers', () => {
  const steps = () => {
    const { servers, elect, run, scheduler } = virtualCluster({ seed: 7 })
    const lines: TraceLine[] = []
    merge(...servers.map(({ inspect$ }) => inspect$.pipe(trace()))).subscribe((line) => lines.push(line))
    const recordings = servers.map(({ inspect$ }) => seen(inspect$.pipe(record())))
    // One who acts within what it is told: its steps are told before those that it causes.
    for (const server of servers) server.role$.subscribe((role) => role === 'Leader' && server.propose('first'))
    const { leader } = elect()
    for (const word of ['a', 'b', 'c']) leader.propose(word)
    run(500)
    leader.kill()
    run(3_000)
    for (const server of servers) server.close()
    return { lines, recordings, scheduler }
  }

  it('are a trace that Figure 2 allows', () => {
    const { lines } = steps()
    expect(acceptsTrace(lines)).toEqual({ _tag: 'Accepted', lines: lines.length })
    expect(new Set(lines.flatMap(({ actions }) => actions))).toContain('AdvanceCommitIndex')
  })

  it('are recorded when the server stops, and replay', () => {
    const { recordings } = steps()
    for (const [recording, end] of recordings) {
      expect(end).toBe('|')
      expect(replay(recording as Recording)).toMatchObject({ _tag: 'Same' })
    }
  })

  it('the same seed gives the same bytes', () => {
    expect(toNdjson(steps().lines)).toBe(toNdjson(steps().lines))
  })

  it('a recording is complete at its bound', async () => {
    const inspections: ReadonlyArray<Inspection> = replay(elected()).steps
    const recording = await firstValueFrom(from(inspections).pipe(record({ maxSteps: 3 })))
    expect(recording).toEqual(elected().slice(0, 3))
    expect(await firstValueFrom(from(inspections).pipe(trace(), toArray()))).toEqual(elected())
  })
})
