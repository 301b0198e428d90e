import { describe, expect, it } from '@jest/globals'
import { logIndex, snapshotRef } from '../../src/raft/ids.js'
import { Progress } from '../../src/raft/state/progress.js'
import { Leader } from '../../src/raft/state/role.js'
import { Sending } from '../../src/raft/state/snapshots.js'
import type { Server } from '../../src/raft/state/server.js'
import { after, appendEntriesReply, flush, heartbeatDue, leader, n1, n2, n3, n4, on, progress, proposed, received } from './servers.js'

const at = logIndex
const fieldsOf = (progress: Progress) => Object.fromEntries(Object.entries(progress))

describe('the followers of a leader', () => {
  const known = new Leader().following([n2, n3], at(5)).withProgress(Progress.of(n2, at(5)).with({ matchIndex: at(4), flow: 'Replicate' }))

  it('begin with nothing known: nextIndex as given, matchIndex 0', () => {
    expect(known.follower(n3)).toMatchObject({ id: n3, nextIndex: 5, matchIndex: 0, sentCommit: 0, flow: 'Probe', inflight: [] })
  })

  it('come and go: a known one keeps its progress, a new one begins at nextIndex', () => {
    const now = known.following([n2, n4], at(9))
    expect(now.followers.map(({ id, nextIndex, matchIndex }) => [id, nextIndex, matchIndex])).toEqual([
      [n2, 5, 4],
      [n4, 9, 0],
    ])
    expect(now.follower(n2)).toBe(known.follower(n2))
  })

  it('take the snapshot with them that was under way to them', () => {
    const base = { index: at(1), term: leader().currentTerm, configuration: leader().log.configuration }
    const sendings = [n2, n3].map((to) => new Sending(to, { ref: snapshotRef(1), size: 1 }, base, 0, 'Reading'))
    const sending = sendings.reduce((role, each) => role.withSending(each), known)
    expect(sending.following([n2], at(5)).sendings).toEqual([sendings[0]])
  })

  it('an answer of a server that is no follower any more does not bring it back', () => {
    expect(known.withProgress(Progress.of(n4, at(1))).followers).toEqual(known.followers)
  })

  it('the name of a field says what changes, and all others stay', () => {
    const before = Progress.of(n2, at(5)).with({ matchIndex: at(4), sentCommit: at(3), flow: 'Replicate', silentHeartbeats: 2 })
    for (const [field, value] of Object.entries({
      nextIndex: at(8),
      matchIndex: at(8),
      sentCommit: at(8),
      flow: 'Probe',
      inflight: [],
      silentHeartbeats: 8,
    }))
      expect(fieldsOf(before.with({ [field]: value }))).toEqual({ ...fieldsOf(before), [field]: value })
  })
})

describe('followers that come and go in the middle of a term', () => {
  /** n1 leads n2 and n3 in term 1; then n3 goes and n4 comes. */
  const changed = (): Server => {
    const leads = after(leader(), proposed(1, 'x'))
    return leads.role._tag === 'Leader' ? { ...leads, role: leads.role.following([n2, n4], at(2)) } : leads
  }

  it('the new one is asked where its log is, and the one that went is sent nothing', () => {
    const { effects, server } = on(changed(), heartbeatDue(1))
    expect(effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.message.to] : []))).toEqual([n2, n4])
    expect(progress(server, n4)).toMatchObject({ flow: 'Probe', nextIndex: 2, silentHeartbeats: 1 })
    expect(() => progress(server, n3)).toThrow('nobody leads n3')
  })

  it('an answer of the one that went counts for nothing', () => {
    const server = changed()
    const answered = on(server, received(appendEntriesReply({ from: n3, to: n1, re: 3, term: 1, matchIndex: 1 })))
    expect(answered).toEqual({ server, effects: [] })
    expect(answered.server).toBe(server)
  })

  it('an answer of the new one brings it the log', () => {
    const asked = after(changed(), flush)
    const re = progress(asked, n4).inflight[0]!.seq
    const refusal = { from: n4, to: n1, re, term: 1, success: false, conflict: { term: null, index: 1 } } as const
    const probing = after(asked, received(appendEntriesReply(refusal)), flush)
    expect(progress(probing, n4)).toMatchObject({ flow: 'Probe', nextIndex: 1, inflight: [{ lastIndex: 1 }] })
  })
})
