import type { IncomingMessage, ServerResponse } from 'node:http'
import { either } from 'fp-ts'
import { map, merge, take, timer } from 'rxjs'
import { decodeRequests, encodeReplies, repliesInPieces } from '../batchCodec.js'
import { type KvReply, sizeOfReply, withoutRoom } from '../reply.js'
import { type Body, type HttpAnswer, outcomeUnknown, problem } from './answer.js'
import { readBody } from './body.js'
import type { HttpContext } from './httpContext.js'
import { reply } from './send.js'
import { sliceBytes } from './slices.js'

/**
 * Many commands in one request, for our own client. It is not passed on: that client knows all servers and would rather hear who leads.
 */
export const onBatch = (face: HttpContext, req: IncomingMessage, res: ServerResponse): void => {
  const { options, gateway, buffered } = face
  const { server, scheduler, answerTimeoutMs, maxBatch, maxBatchBytes: maxBytes, maxBufferedBytes } = options
  const refuse = (answer: HttpAnswer): void => reply(face, res, answer)
  if (gateway.leader() !== server.id) return refuse(gateway.elsewhere())

  const run = (body: Buffer): void => {
    const requests = decodeRequests(body, maxBatch)
    if (either.isLeft(requests))
      return refuse(problem(400, 'BadBatch', `The batch ends to make sense at byte ${requests.left.at}: ${requests.left.reason}.`))
    const answer$ = merge(
      server.submitAll(requests.right).pipe(
        map((replies): HttpAnswer => ({
          status: 200,
          headers: { 'content-type': 'application/octet-stream' },
          body: bodyOf(face, res, replies),
        })),
      ),
      timer(answerTimeoutMs, scheduler).pipe(map(outcomeUnknown)),
    ).pipe(take(1))
    const waiting = answer$.subscribe(refuse)
    res.on('close', () => waiting.unsubscribe())
  }
  readBody(req, res, { maxBytes, maxBufferedBytes, buffered }, run, refuse)
}

/** Short replies as they are; long ones in slices, where there is room for them, or else without the values that they carry. */
const bodyOf = ({ answering }: HttpContext, res: ServerResponse, replies: ReadonlyArray<KvReply>): Body => {
  const holds = replies.reduce((bytes, one) => bytes + sizeOfReply(one), 0)
  if (holds <= sliceBytes) return encodeReplies(replies)
  const release = answering.take(holds)
  if (release === null) return encodeReplies(replies.map((one) => withoutRoom(one, 'maxAnswerBytes')))
  res.once('close', release)
  return { _tag: 'Sliced', holds: 0, slices: repliesInPieces(replies, sliceBytes) }
}
