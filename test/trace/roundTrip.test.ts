import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import fc from 'fast-check'
import { of } from 'rxjs'
import { defaultSettings } from '../../src/raft/settings.js'
import type { Raft } from '../../streams/server/createRaft.js'
import { fromNdjson, toNdjson } from '../../streams/testing/trace/line.js'
import { record, type Recording, replay } from '../../streams/testing/trace/recording.js'
import { virtualCluster } from '../kvService/cluster.js'
import { seed } from '../raft/schedule.js'
import { cluster, leading } from '../streams/cluster.js'

/** Every recording of a run: one for each life of each server. */
type Recordings = Recording[]

const recordedIn =
  (recordings: Recordings) =>
  ({ inspect$ }: Pick<Raft, 'inspect$'>): void =>
    void inspect$.pipe(record()).subscribe((recording) => recordings.push(recording))

/**
 * Servers that elect, replicate, take snapshots and send them, and one that is away and comes back to what its disk
 * held.
 */
const raftRun = (ids: ReadonlyArray<string>, dice: number, everyEntries: number): Recordings => {
  const recordings: Recordings = []
  const recorded = recordedIn(recordings)
  const { servers, create, run, elect, network } = cluster({
    ids,
    seed: dice,
    network: { loss: 0.02, duplication: 0.02, reordering: 0.02 },
    server: {
      snapshots: { everyEntries, take: (index) => of({ index, data: new Uint8Array([0, 255, 1, everyEntries]) }) },
      maxSnapshotChunkBytes: 2,
    },
  })
  servers.forEach(recorded)
  const { leader, followers } = elect()
  const away = followers[0]
  const propose = (words: ReadonlyArray<string>): void => words.forEach((word) => leading(servers).propose(word))
  propose(['a', '', 'ü'])
  if (away !== undefined) network.isolate(away.id)
  run(500)
  for (let i = 0; i < 3 * everyEntries; i++) propose([`while it was away ${i}`])
  run(1_000)
  network.heal()
  run(2_000)
  leader.kill()
  const again = create(leader.id)
  recorded(again)
  again.start()
  run(3_000)
  for (const server of [...servers, again]) server.kill()
  return recordings
}

const kvRun = (dice: number, everyEntries: number): Recordings => {
  const recordings: Recordings = []
  const recorded = recordedIn(recordings)
  const options = { snapshots: { everyEntries }, maxSnapshotChunkBytes: 64 }
  const { servers, run, client, crash, start, leader } = virtualCluster(dice, options, ({ raft }) => recorded(raft))
  run(2_000)
  const one = client()
  const put = (i: number): void => void one.put(`key ${i % 3}`, new Uint8Array([i, 0, 255])).catch(() => undefined)
  for (let i = 0; i < 2 * everyEntries; i++) put(i)
  run(2_000)
  const { id } = leader()
  crash(id)
  run(2_000)
  for (let i = 0; i < 3 * everyEntries; i++) {
    put(i)
    run(20)
  }
  start(id)
  run(2_000)
  one.close()
  for (const server of servers()) server.kill()
  return recordings
}

const expectExact = (recordings: Recordings): void => {
  for (const recording of recordings) {
    const text = toNdjson(recording)
    const read = fromNdjson(text)
    expect(read).toEqual(either.right(recording))
    if (either.isLeft(read)) return
    expect(toNdjson(read.right)).toBe(text)
    expect(replay(read.right)).toMatchObject({ _tag: 'Same', steps: { length: recording.length } })
  }
}

const saw = (recordings: Recordings): ReadonlySet<string> => new Set(recordings.flatMap((lines) => lines.map(({ event }) => event._tag)))

const clusters = fc.constantFrom(['n1'], ['n1', 'n2', 'n3'], ['constructor', '1', 'a.b-c_d'])

describe('the recording of a real server', () => {
  it('is read as it was written, and replays', () => {
    fc.assert(
      fc.property(clusters, fc.nat(1_000), fc.integer({ min: 3, max: 20 }), (ids, dice, everyEntries) => {
        const recordings = raftRun(ids, dice, everyEntries)
        expect(recordings).toHaveLength(ids.length + 1)
        expectExact(recordings)
      }),
      { numRuns: 15, ...seed },
    )
  })

  it('of the key/value store too', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 3, max: 20 }), (dice, everyEntries) => {
        const recordings = kvRun(dice, everyEntries)
        expect(recordings).toHaveLength(4)
        expectExact(recordings)
      }),
      { numRuns: 10, ...seed },
    )
  })

  it('has elections, proposals and snapshots, taken, sent and stored, in it', () => {
    const events = saw([...raftRun(['n1', 'n2', 'n3'], 1, 5), ...kvRun(1, 5)])
    for (const tag of ['Started', 'ElectionTimedOut', 'Proposed', 'SnapshotTaken', 'SnapshotStored', 'ChunkRead', 'ChunkStored'])
      expect(events).toContain(tag)
  })

  it('holds the settings of the rules, and nothing else that the server was tuned with', () => {
    const started = raftRun(['n1'], 1, 5)[0]?.[0]?.event
    expect(started).toMatchObject({ _tag: 'Started', settings: { ...defaultSettings, maxSnapshotChunkBytes: 2 } })
    expect(started?._tag === 'Started' && Object.keys(started.settings)).toEqual(Object.keys(defaultSettings))
  })

  it('by a clock that tells parts of milliseconds, too', () => {
    const [first] = raftRun(['n1'], 1, 5)
    expectExact([first!.map((line) => ({ ...line, at: line.at + 0.25 }))])
  })
})
