import type { IncomingMessage, ServerResponse } from 'node:http'
import { either, function as F } from 'fp-ts'
import { map } from 'rxjs'
import type { BadBytes } from '../../../src/kv/bytes.js'
import { decodeRequests, encodeReplies, repliesInPieces } from '../batchCodec.js'
import { type KvReply, sizeOfReply, withoutRoom } from '../reply.js'
import type { BatchOutcome } from '../gateway/gateway.js'
import { type Body, type HttpAnswer, misdirected, outcomeUnknown, problem } from './answer.js'
import { readBody } from './body.js'
import type { HttpContext } from './httpContext.js'
import { reply } from './send.js'
import { sliceBytes } from './slices.js'

/**
 * Many commands in one request, for our own client. It knows all servers, so a server that does not lead names the
 * leader instead.
 */
export const onBatch = (context: HttpContext, req: IncomingMessage, res: ServerResponse): void => {
  const { options, gateway, buffered } = context
  const { answerTimeoutMs, maxBatch, maxBatchBytes: maxBytes, maxBufferedBytes, peers } = options
  const answer = (answered: HttpAnswer): void => reply(context, res, answered)
  // A batch may be long: refuse it before it is read.
  const notLeader = gateway.notLeader()
  if (notLeader !== null) return answer(misdirected(notLeader, peers))

  const run = (body: Buffer): void => {
    const requests = decodeRequests(body, maxBatch)
    if (either.isLeft(requests)) return answer(badBatch(requests.left))
    const waiting = gateway
      .batch(requests.right, answerTimeoutMs)
      .pipe(map((outcome) => answerOf(context, res, outcome)))
      .subscribe(answer)
    res.on('close', () => waiting.unsubscribe())
  }
  readBody(req, res, { maxBytes, maxBufferedBytes, buffered }, run, answer)
}

const badBatch = ({ at, reason }: BadBytes): HttpAnswer =>
  problem(400, 'BadBatch', `The batch ends to make sense at byte ${at}: ${reason}.`)

const answerOf = (context: HttpContext, res: ServerResponse, outcome: BatchOutcome): HttpAnswer => {
  switch (outcome._tag) {
    case 'Replied':
      return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bodyOf(context, res, outcome.replies) }
    case 'NotLeader':
      return misdirected(outcome, context.options.peers)
    case 'Indeterminate':
      return outcomeUnknown()
    default:
      return F.absurd(outcome)
  }
}

/**
 * Short replies as they are; long ones in slices, where there is room for them, or else without the values that they
 * carry.
 */
const bodyOf = ({ answerBudget }: HttpContext, res: ServerResponse, replies: ReadonlyArray<KvReply>): Body => {
  const holds = replies.reduce((bytes, one) => bytes + sizeOfReply(one), 0)
  if (holds <= sliceBytes) return encodeReplies(replies)
  const release = answerBudget.take(holds)
  if (release === null) return encodeReplies(replies.map((one) => withoutRoom(one, 'maxAnswerBytes')))
  res.once('close', release)
  return { _tag: 'Sliced', holds: 0, slices: repliesInPieces(replies, sliceBytes) }
}
