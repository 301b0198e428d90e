import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Write } from '../../src/raft/effect.js'
import { commandEntry, type Entry } from '../../src/raft/state/entry.js'
import { logIndex, nodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { RaftState, UnreadableRaftState } from '../../streams/lab/raftState.js'

const ids = ['s0', 's1', 's2'].map(nodeId)
const configuration = votersOnly(ids)
const nothing: Write = {
  snapshot: null,
  hardState: null,
  truncateFrom: null,
  firstIndex: logIndex(1),
  entries: [],
  commitIndex: logIndex(0),
}

/** What is done to the state; places are drawn as parts of what is there. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), sizes: fc.array(fc.nat(300), { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('truncate' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('vote' as const), vote: fc.constantFrom(null, ...ids) }),
  fc.record({ kind: fc.constant('snapshot' as const), part: fc.double({ min: 0, max: 1, noNaN: true }), keepsSuffix: fc.boolean() }),
)

it('whatever is written, the bytes give it back (compared with a list)', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      let saved = new Uint8Array(0)
      let state = new RaftState(ids, saved)
      let T = 0
      let base = { index: 0, term: 0 }
      let twin: Entry[] = []
      let hard = { currentTerm: term(0), votedFor: null as (typeof ids)[number] | null }
      for (const it of changes) {
        const next = logIndex(base.index + twin.length + 1)
        switch (it.kind) {
          case 'append': {
            T++
            const entries = it.sizes.map((size) => commandEntry(term(T), new Uint8Array(size).fill(T)))
            state.write({ ...nothing, firstIndex: next, entries })
            twin.push(...entries)
            break
          }
          case 'truncate': {
            const kept = Math.floor(it.part * twin.length)
            const from = logIndex(base.index + kept + 1)
            state.write({ ...nothing, truncateFrom: kept < twin.length ? from : null, firstIndex: from })
            twin = twin.slice(0, kept)
            break
          }
          case 'vote':
            hard = { currentTerm: term(T), votedFor: it.vote }
            state.write({ ...nothing, firstIndex: next, hardState: hard })
            break
          case 'snapshot': {
            const dropped = Math.ceil(it.part * twin.length)
            if (dropped === 0) break
            base = { index: base.index + dropped, term: twin[dropped - 1]!.term }
            twin = it.keepsSuffix ? twin.slice(dropped) : []
            const pointer = { ref: snapshotRef(2), size: 3, base: { index: logIndex(base.index), term: term(base.term), configuration } }
            state.write({
              ...nothing,
              snapshot: { ...pointer, keepsSuffix: it.keepsSuffix },
              firstIndex: logIndex(base.index + twin.length + 1),
            })
            break
          }
        }
        saved = state.view().slice()
        const read = new RaftState(ids, saved)
        const { log, currentTerm, votedFor, snapshot } = read.recovered(configuration, 3)
        expect([...log]).toEqual(twin)
        expect({ index: log.base.index, term: log.base.term }).toEqual(base)
        expect({ currentTerm, votedFor }).toEqual(hard)
        expect(snapshot).toEqual(base.index === 0 ? null : { ref: snapshotRef(1), size: 3 })
        if (T % 3 === 0) state = read // and goes on from there
      }
    }),
  )
})

it('a command of eight bytes costs nineteen, and the rest is a header of 26', () => {
  const state = new RaftState(ids, new Uint8Array(0))
  expect(state.view()).toHaveLength(26)
  state.write({ ...nothing, entries: [commandEntry(term(1), new Uint8Array(8))] })
  expect(state.view()).toHaveLength(45)
})

it('damage is told in a sentence', () => {
  const state = new RaftState(ids, new Uint8Array(0))
  state.write({ ...nothing, entries: [commandEntry(term(1), new Uint8Array(8))] })
  expect(() => new RaftState(ids, state.view().slice(0, 40))).toThrow(UnreadableRaftState)
  expect(() => new RaftState(ids, Uint8Array.of(2, ...new Uint8Array(40)))).toThrow('does not begin as version 1 does')
})
