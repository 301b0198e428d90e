import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { commandEntry } from '../../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, term } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import { admit } from '../../../streams/sinks/inbound.js'
import { FrameReader, messageIn } from '../../../streams/network/tcp/frame.js'
import { Outbox } from '../../../streams/network/tcp/outbox.js'

const append = (seq: number, commandBytes = 100): Message => ({
  _tag: 'AppendEntries',
  from: nodeId('n1'),
  to: nodeId('n2'),
  seq: messageSeq(seq),
  term: term(1),
  leaderId: nodeId('n1'),
  prevLogIndex: logIndex(0),
  prevLogTerm: term(0),
  leaderCommit: logIndex(0),
  entries: [commandEntry(term(1), new Uint8Array(commandBytes))],
})

const limits = { maxQueueMessages: 1_000, maxQueueBytes: 10 << 20 }

/** The numbers of the messages in a batch. */
const numbers = (bytes: Uint8Array): ReadonlyArray<number> => {
  const found: number[] = []
  new FrameReader(20 << 20).push(bytes, (_, payload) => {
    const event = admit(either.isRight(messageIn(payload)) ? payload.subarray(4) : null)
    if (event._tag === 'Received' && 'seq' in event.message) found.push(event.message.seq)
    return true
  })
  return found
}

describe('the outbox', () => {
  it('gives its messages as frames, in order, and is then empty', () => {
    const outbox = new Outbox(limits)
    for (const seq of [1, 2, 3]) outbox.offer(append(seq))
    const batch = outbox.take()!
    expect({ frames: batch.frames, numbers: numbers(batch.bytes) }).toEqual({ frames: 3, numbers: [1, 2, 3] })
    expect([outbox.take(), outbox.size, outbox.bytes]).toEqual([null, 0, 0])
  })

  it('gives no more at a time than one write should hold', () => {
    const outbox = new Outbox(limits)
    for (const seq of [1, 2, 3, 4]) outbox.offer(append(seq, 100_000))
    expect([outbox.take(), outbox.take(), outbox.take()].map((batch) => batch && numbers(batch.bytes))).toEqual([[1, 2, 3], [4], null])
  })

  it('takes a message of any size when it is empty', () => {
    const outbox = new Outbox({ maxQueueMessages: 10, maxQueueBytes: 100 })
    expect([outbox.offer(append(1, 1_000)), outbox.offer(append(2, 0))]).toEqual([true, false])
    expect(numbers(outbox.take()!.bytes)).toEqual([1])
    expect(outbox.offer(append(3, 1_000))).toBe(true)
  })

  it('says when it is no longer empty, and only then', () => {
    const outbox = new Outbox(limits)
    let filled = 0
    outbox.filled$.subscribe(() => filled++)
    outbox.offer(append(1))
    outbox.offer(append(2))
    expect(filled).toBe(1)
    outbox.take()
    outbox.offer(append(3))
    expect(filled).toBe(2)
    outbox.clear()
    outbox.offer(append(4))
    expect(filled).toBe(3)
  })
})
