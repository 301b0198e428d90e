import { describe, expect, it } from '@jest/globals'
import { logIndex, term } from '../../src/raft/ids.js'
import { configurationEntry, type Entry, isEntryKind, kindOf, knownKinds, numberOf } from '../../src/raft/state/entry.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { allows, clusterVersion, newestVersion } from '../../src/raft/state/version.js'
import { Message } from '../../src/raft/messages.js'
import { after, appendEntries, entry, follower, n1, n2, n3, on, persisted, received, termsOf } from './servers.js'

describe('the version of a cluster', () => {
  it('is the least that its members know', () => {
    expect(clusterVersion([3, 1, 2])).toBe(1)
    expect(clusterVersion([4, 4])).toBe(4)
    expect(clusterVersion([])).toBe(newestVersion)
  })

  it('allows what came with it or before', () => {
    for (const kind of knownKinds) {
      expect(allows(0, kind)).toBe(false)
      expect(allows(newestVersion, kind)).toBe(true)
    }
  })

  it('of a new cluster is the newest that this build knows', () => {
    expect(votersOnly([n1]).version).toBe(newestVersion)
  })
})

describe('an entry kind', () => {
  it('is known, or is its number', () => {
    for (let number = 0; number <= 255; number++) {
      expect(numberOf(kindOf(number))).toBe(number)
      expect(isEntryKind(kindOf(number))).toBe(true)
    }
    expect(['command', 'noop', 'configuration'].map((_, number) => kindOf(number))).toEqual(knownKinds)
    expect([0, 2, 256, 3.5, -1, Number.NaN, 'unknown', null].filter(isEntryKind)).toEqual([])
  })
})

describe('an entry of a kind that this build does not know', () => {
  const later: Entry = { ...entry(1, 'of a later version'), kind: 7 }
  const request = appendEntries({ term: 1, entries: [entry(1, 'a'), later, entry(1, 'b')] })
  const stored = after(follower({ T: 1 }), received(request), persisted(1))
  const commit = (leaderCommit: number) => received(appendEntries({ term: 1, seq: 2, prevLogIndex: 3, prevLogTerm: 1, leaderCommit }))

  it('is a plausible message', () => {
    expect(Message.is(request)).toBe(true)
  })

  it('is stored as it came, and what is before it is applied', () => {
    expect(stored.log.at(logIndex(2))).toBe(later)
    expect(on(stored, commit(1)).server.applyingIndex).toBe(1)
  })

  it('may be truncated before it is committed', () => {
    const other = after(stored, received(appendEntries({ from: n3, term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2)] })))
    expect(termsOf(other)).toEqual([1, 2])
  })

  it('stops the server when it is committed', () => {
    expect(() => on(stored, commit(3))).toThrow(
      expect.objectContaining({
        name: 'InvariantViolation',
        invariant: 'every committed entry is known',
        index: 2,
        message:
          'every committed entry is known\nEntry 2 has kind 7, which this build does not know: run a version of rxraft that knows cluster version 2' +
          ' or newer. Nothing is lost: this server goes on from here.',
      }),
    )
  })

  it('stops a server that finds it committed at its start', () => {
    const recovered = { ...stored, commitIndex: logIndex(3) }
    expect(() => after(recovered, { _tag: 'Started' })).toThrow('Entry 2 has kind 7')
  })
})

describe('a configuration of a later cluster version', () => {
  it('stops the server when it is committed, and names that version', () => {
    const raised = configurationEntry(term(1), { ...votersOnly([n1, n2, n3]), version: 5 })
    const server = after(follower({ T: 1 }), received(appendEntries({ term: 1, entries: [raised] })), persisted(1))
    expect(() => on(server, received(appendEntries({ term: 1, seq: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 })))).toThrow(
      'Entry 1 belongs to a cluster of version 5, which this build does not know: run a version of rxraft that knows cluster version 5',
    )
  })
})
