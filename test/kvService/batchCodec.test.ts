import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import { serial, sessionId } from '../../src/kv/ids.js'
import { decodeReplies, decodeRequests, encodeReplies, encodeRequests } from '../../streams/kv/batchCodec.js'
import { isFailure, type KvReply, replyMessage } from '../../streams/kv/reply.js'
import { sseReader } from '../../streams/kv/http/sse.js'

const requests = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })

const reply: fc.Arbitrary<KvReply> = fc.oneof(
  fc.constantFrom<KvReply>(
    { _tag: 'NotLeader', leader: null },
    { _tag: 'NotLeader', leader: 'n2' },
    { _tag: 'Overloaded', limit: 'maxReads' },
    { _tag: 'Overloaded', limit: 'maxLogBytes' },
    { _tag: 'Overloaded', limit: 'maxBatchReplyBytes' },
    { _tag: 'Overloaded', limit: 'maxAnswerBytes' },
    { _tag: 'Indeterminate' },
    { _tag: 'KeyEmpty' },
    { _tag: 'UnknownSession', session: sessionId(7) },
    { _tag: 'SerialAnswered', firstUnanswered: serial(7) },
  ),
  fc.nat().map((n): KvReply => ({ _tag: 'Written', revision: n as never, prevKv: null })),
)

describe('a batch', () => {
  it('comes back as it was sent', () => {
    fc.assert(fc.property(requests, (sent) => expect(decodeRequests(encodeRequests(sent), 20)).toEqual(either.right(sent))))
  })

  it('of one more than the bound is refused before anything of it is made', () => {
    const three = encodeRequests([new Uint8Array(1), new Uint8Array(2), new Uint8Array(3)])
    expect(either.isRight(decodeRequests(three, 3))).toBe(true)
    expect(decodeRequests(three, 2)).toMatchObject({ left: { reason: 'a batch has at most 2 requests, not 3' } })
  })

  it('of any bytes is read or refused, never thrown on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeRequests(bytes, 1_000)
      }),
    )
  })
})

describe('the replies to a batch', () => {
  it('come back as they were sent', () => {
    fc.assert(fc.property(fc.array(reply), (sent) => expect(decodeReplies(encodeReplies(sent))).toEqual(either.right(sent))))
  })

  it('of any bytes are read or refused, never thrown on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeReplies(bytes)
      }),
    )
  })

  it('that say no, say it in a sentence', () => {
    fc.assert(
      fc.property(
        reply.filter((r) => isFailure(r) || r._tag !== 'Written'),
        (r) => expect(replyMessage(r as never)).toMatch(/^[A-Z].*\.$/),
      ),
    )
  })
})

describe('server-sent events', () => {
  const stream = 'id: 3\ndata: {"a":1}\n\n: alive\nid: 4\n\nevent: error\r\ndata: one\r\ndata: two\r\n\r\nretry: 5\n\n'
  const events = [
    { event: 'message', data: '{"a":1}', id: '3' },
    { event: 'message', data: '', id: '4' },
    { event: 'error', data: 'one\ntwo', id: null },
  ]

  it('are read however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const read = sseReader(1_000)
        const at = [0, ...[...cuts].sort((a, b) => a - b), stream.length]
        expect(at.slice(1).flatMap((end, i) => read(stream.slice(at[i], end)))).toEqual(events)
      }),
    )
  })

  it('that never end are refused at the bound', () => {
    const read = sseReader(100)
    expect(() => Array.from({ length: 20 }, () => read('data: 1234'))).toThrow('longer than 100')
    const lines = sseReader(100)
    expect(() => Array.from({ length: 20 }, () => lines('data: 1234\n'))).toThrow('longer than 100')
  })
})
