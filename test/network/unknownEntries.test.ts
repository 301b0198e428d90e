import { expect, it } from '@jest/globals'
import { from, Subject } from 'rxjs'
import { logIndex, messageSeq, nodeId, term } from '../../src/raft/ids.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import type { Message } from '../../src/raft/messages.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { createRaft } from '../../streams/server/createRaft.js'
import type { StopReason } from '../../streams/server/stopReason.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'

it('a server is stopped by a committed entry of a later version, with a sentence', () => {
  const scheduler = new VirtualScheduler()
  const network = memoryNetwork({ scheduler })
  const server = createRaft({ id: 'n1', network: network.join('n1'), storage: memoryStorage(['n1', 'n2']), scheduler })
  const reasons: StopReason[] = []
  server.stopped$.subscribe((reason) => reasons.push(reason))
  const leader$ = new Subject<Message>()
  from(network.join('n2')(leader$)).subscribe()
  server.start()
  const later = { ...commandEntry(term(1), Uint8Array.of(1, 2)), kind: 9 }
  const append = { _tag: 'AppendEntries', from: nodeId('n2'), to: nodeId('n1'), leaderId: nodeId('n2'), term: term(1) } as const
  const first = { ...append, seq: messageSeq(1), prevLogIndex: logIndex(0), prevLogTerm: term(0), leaderCommit: logIndex(0) }
  leader$.next({ ...first, entries: [later] })
  scheduler.runUntil(10)
  expect(reasons).toEqual([])
  leader$.next({ ...first, seq: messageSeq(2), prevLogIndex: logIndex(1), prevLogTerm: term(1), leaderCommit: logIndex(1), entries: [] })
  scheduler.runUntil(20)
  expect(reasons).toEqual([
    expect.objectContaining({
      _tag: 'InvariantViolation',
      message: expect.stringContaining('Entry 1 has kind 9, which this build does not know'),
    }),
  ])
})
