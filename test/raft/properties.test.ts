import { describe, expect, it } from '@jest/globals'
import { commandEntry, type Entry } from '../../src/raft/state/entry.js'
import { InvariantViolation } from '../../src/raft/error.js'
import { logIndex, nodeId, term } from '../../src/raft/ids.js'
import type { Server } from '../../src/raft/state/server.js'
import { clusterProperties, watch, type Watched } from '../../streams/testing/properties.js'
import { ascii, entry, follower, type Given, leader, n1, n2, n3 } from './servers.js'

/** Servers by name, each with everything on its disk. */
const cluster = (...servers: ReadonlyArray<Server>): ReadonlyArray<Watched> =>
  servers.map((server) => ({ id: server.id, server, disk: { ...server, snapshot: server.snapshots.current } }))
const follows = (id: string, given: Given): Server => follower({ ...given, id: nodeId(id) })
const leads = (id: string, given: Given): Server => ({ ...leader(given), id: nodeId(id) })
/** The same with another command in its last entry. */
const otherwise = (server: Server): Server => {
  const { log } = server
  return { ...server, log: log.truncateFrom(log.lastIndex).append([commandEntry(log.lastTerm, ascii('other'))]) }
}

describe('each property of Figure 3 sees its breach', () => {
  const committed = (index: number, it: Entry, inTerm: number) => ({
    leaders: new Map(),
    committed: new Map([[logIndex(index), { entry: it, inTerm: term(inTerm) }]]),
  })
  const nothing = { leaders: new Map(), committed: new Map() }
  type Holds = Parameters<(typeof clusterProperties)[number]['holds']>

  const breaches: ReadonlyArray<readonly [begins: string, ...Holds]> = [
    ['Election Safety', cluster(leads('n1', { T: 2 }), leads('n2', { T: 2 })), nothing],
    ['Election Safety', cluster(leads('n1', { T: 2 })), { leaders: new Map([[term(2), n2]]), committed: new Map() }],
    ['Log Matching', cluster(follows('n1', { log: [1, 1] }), otherwise(follows('n2', { log: [1, 1] }))), nothing],
    ['Log Matching', cluster(follows('n1', { log: [1, 2, 3] }), follows('n2', { log: [2, 2, 3] })), nothing],
    ['Leader Completeness', cluster(leads('n1', { T: 4, log: [1, 1] })), committed(2, entry(2), 3)],
    ['Leader Completeness', cluster(leads('n1', { T: 4, log: [1] })), committed(2, entry(2), 3)],
    [
      'what one server knows to be committed',
      cluster(follows('n1', { T: 4, log: [1, 1], commit: 2 }), follows('n2', { log: [1, 1] })),
      committed(2, entry(2), 4),
    ],
    [
      'what is committed is on the disks',
      [...cluster(follows('n1', { log: [1], commit: 1 })), ...cluster(follows('n2', {}), follows('n3', {}))],
      nothing,
    ],
  ]

  it.each(breaches.map(([begins, ...holds]) => ({ begins, holds })))('$begins', ({ begins, holds }) => {
    const broken = clusterProperties.filter((property) => !property.holds(...holds)).map(({ name }) => name)
    expect(broken).toEqual([expect.stringMatching(`^${begins}`)])
  })

  it('every property has met one', () => {
    expect(clusterProperties.filter(({ name }) => !breaches.some(([begins]) => name.startsWith(begins)))).toEqual([])
  })
})

describe('a watch remembers', () => {
  const all = [follows('n2', { log: [2] }), follows('n3', { log: [2] })]

  it('who led a term, after that server is gone', () => {
    const seen = watch()
    seen.check(cluster(leads('n1', { T: 2 })), 'n1 is elected')
    expect(() => seen.check(cluster(leads('n2', { T: 2 })), 'n2 is elected')).toThrow(InvariantViolation)
  })

  it('what was committed, when nobody who knew it is left', () => {
    const seen = watch()
    seen.check(cluster(follows('n1', { log: [2], commit: 1 }), ...all), 'n1 learns of it')
    expect(() => seen.check(cluster(...all, leads('n1', { T: 3 })), 'n1 comes back empty')).toThrow('Leader Completeness')
  })

  it('what was applied where', () => {
    const seen = watch()
    const { log } = follows('n1', { log: [1, 1, 1] })
    const applies =
      (id: typeof n1, index: number, ...them: ReadonlyArray<Entry>) =>
      () =>
        seen.applying({ id, log }, { _tag: 'Apply', firstIndex: logIndex(index), entries: them })
    applies(n1, 1, entry(1), entry(1))()
    expect(applies(n2, 1, entry(2))).toThrow('State Machine Safety')
    expect(applies(n1, 2, entry(1))).toThrow('each once')
    expect(applies(n3, 2, entry(1))).toThrow('each once')
    seen.restarted(n1, logIndex(0))
    expect(applies(n1, 1, entry(1), entry(1), entry(1))).not.toThrow()
  })
})
