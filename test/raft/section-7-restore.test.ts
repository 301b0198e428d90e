import { describe, expect, it } from '@jest/globals'
import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, messageSeq, snapshotRef, term } from '../../src/raft/ids.js'
import type { InstallSnapshot } from '../../src/raft/messages.js'
import { after, appendEntries, applied, ascii, entries, follower, n1, n2, n3, on, persisted, received } from './servers.js'

const installSnapshot = (seq: number, lastIncludedIndex: number): RaftEvent =>
  received({
    _tag: 'InstallSnapshot',
    from: n2,
    to: n1,
    seq: messageSeq(seq),
    term: term(1),
    leaderId: n2,
    lastIncludedIndex: logIndex(lastIncludedIndex),
    lastIncludedTerm: term(1),
    configuration: votersOnly([n1, n2, n3]),
    offset: 0,
    data: ascii('state'),
    done: true,
  } satisfies InstallSnapshot)
const stored = (ref: number): RaftEvent => ({ _tag: 'SnapshotStored', ref: snapshotRef(ref), size: 5 })
const taken = (index: number): RaftEvent => ({ _tag: 'SnapshotTaken', index: logIndex(index), data: ascii('own') })

const tags = (effects: ReadonlyArray<Effect>) => effects.map(({ _tag }) => _tag)
const discarded = (effects: ReadonlyArray<Effect>) => effects.flatMap((effect) => (effect._tag === 'DiscardSnapshots' ? effect.refs : []))
const restored = (effects: ReadonlyArray<Effect>) =>
  effects.flatMap((effect) => (effect._tag === 'Restore' ? [{ ref: effect.snapshot.ref, index: effect.base.index }] : []))

/** n1 has installed a snapshot up to 5, and its state machine has not answered for it. */
const restoring = after(follower({ T: 1 }), installSnapshot(1, 5), stored(1), persisted(1))

describe('§7 "Reset state machine using snapshot contents" (Figure 13, 8)', () => {
  it('happens once the write that points to the snapshot is on disk', () => {
    const pointing = after(follower({ T: 1 }), installSnapshot(1, 5))
    expect(restored(on(pointing, stored(1)).effects)).toEqual([])
    expect(restored(on(pointing, stored(1), persisted(1)).effects)).toEqual([{ ref: 1, index: 5 }])
  })

  it('a newer snapshot waits until the state machine has answered for the one before, which is kept until then', () => {
    const newer = on(restoring, installSnapshot(2, 9), stored(2), persisted(2))
    expect(newer.server.log.base.index).toBe(9)
    expect(tags(newer.effects)).not.toContain('Restore')
    expect(discarded(newer.effects)).toEqual([])
    expect(newer.server.snapshots.refs).toEqual([2, 1])

    const answered = on(newer.server, applied(5))
    expect(restored(answered.effects)).toEqual([{ ref: 2, index: 9 }])
    expect(discarded(answered.effects)).toEqual([1])
    expect(answered.server).toMatchObject({ lastApplied: 5, applyingIndex: 9 })
    expect(on(answered.server, applied(9)).server).toMatchObject({ lastApplied: 9, snapshots: { restoring: null } })
  })

  it('what the state machine offers before it has answered is not its state after the snapshot', () => {
    const one = appendEntries({ seq: 2, prevLogIndex: 5, prevLogTerm: 1, entries: entries(1), leaderCommit: 6 })
    const given = after(restoring, received(one), persisted(2))
    expect(given).toMatchObject({ lastApplied: 0, applyingIndex: 6 })
    expect(on(given, taken(6))).toEqual({ server: given, effects: [] })
    expect(tags(on(given, applied(5), taken(6)).effects)).toEqual(['StoreSnapshot'])
  })
})
