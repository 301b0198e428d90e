import type { either } from 'fp-ts'
import { type BadBytes, Reader, Writer } from '../../src/kv/bytes.js'
import { array, ascii, type Codec, nullable, oneOf, tagged } from '../../src/kv/codec.js'
import { resultCodec } from '../../src/kv/resultCodec.js'
import { isFailure, type KvFailure, type KvReply } from './reply.js'

/*
 * Many requests as one body, and the replies to them as another: a count, then each in turn.
 *
 *   requests   count  (length  bytes as encodeRequest makes them)…
 *   replies    count  (0 result | 1 failure)…
 */

type Limit = Extract<KvFailure, { readonly _tag: 'Overloaded' }>['limit']

const limit: Codec<Limit> = oneOf<Limit>('limit', [
  'maxReads',
  'maxUncommittedEntries',
  'maxUncommittedBytes',
  'maxUnapplied',
  'maxLogBytes',
  'maxPendingWrites',
  'maxProposals',
  'maxCommandBytes',
  'maxBatchReplyBytes',
  'maxAnswerBytes',
])

const failureCodec = tagged<KvFailure>('failure', {
  NotLeader: [0, { leader: nullable(ascii) }],
  Overloaded: [1, { limit }],
  Indeterminate: [2, {}],
})

const replyCodec: Codec<KvReply> = {
  write: (writer, reply) => {
    writer.flag(isFailure(reply))
    if (isFailure(reply)) failureCodec.write(writer, reply)
    else resultCodec.write(writer, reply)
  },
  read: (reader) => (reader.flag() ? failureCodec.read(reader) : resultCodec.read(reader)),
}

const repliesCodec = array(replyCodec)

export const encodeRequests = (requests: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new Writer()
  writer.number(requests.length)
  for (const request of requests) writer.bytes(request)
  return writer.take()
}

/**
 * Total: any bytes give at most `max` requests, or say what is wrong with them. The requests themselves are not looked
 * at.
 */
export const decodeRequests = (bytes: Uint8Array, max: number): either.Either<BadBytes, ReadonlyArray<Uint8Array>> => {
  const reader = new Reader(bytes)
  const count = reader.number()
  if (count > max) reader.fail(`a batch has at most ${max} requests, not ${count}`)
  const requests: Uint8Array[] = []
  while (requests.length < count && reader.sound) requests.push(reader.bytes())
  return reader.done(requests)
}

/**
 * The replies in pieces: put together they are what `decodeReplies` reads. A piece has at least `pieceBytes`, but for
 * the last.
 */
export function* repliesInPieces(replies: ReadonlyArray<KvReply>, pieceBytes: number): Generator<Uint8Array> {
  let writer = new Writer()
  writer.number(replies.length)
  for (const reply of replies) {
    replyCodec.write(writer, reply)
    if (writer.length < pieceBytes) continue
    yield writer.take()
    writer = new Writer()
  }
  if (writer.length > 0) yield writer.take()
}

export const encodeReplies = (replies: ReadonlyArray<KvReply>): Uint8Array => {
  const writer = new Writer()
  repliesCodec.write(writer, replies)
  return writer.take()
}

export const decodeReplies = (bytes: Uint8Array): either.Either<BadBytes, ReadonlyArray<KvReply>> => {
  const reader = new Reader(bytes)
  return reader.done(repliesCodec.read(reader))
}
