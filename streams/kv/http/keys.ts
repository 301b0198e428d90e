import type { IncomingMessage, ServerResponse } from 'node:http'
import { either } from 'fp-ts'
import { anonymous, type Caller, type KvCommand } from '../../../src/kv/command.js'
import { revision } from '../../../src/kv/ids.js'
import { key, type KeyRange, withPrefix } from '../../../src/kv/key.js'
import { isAnswer, type KvResult, sizeOfResult } from '../../../src/kv/result.js'
import { type HttpAnswer, json, problem, refused } from './answer.js'
import { readBody } from './body.js'
import { callerOf } from './caller.js'
import { conditionOf } from './condition.js'
import type { HttpContext } from './httpContext.js'
import { answerOf } from './outcome.js'
import { forwardedHeader } from './peers.js'
import { appendCommand, deleteCommand, putCommand, readAnswer, writeAnswer } from './keyCommands.js'
import { type BadText, naturalIn, parameters } from './path.js'
import type { Route } from './routes.js'
import { reply } from './send.js'
import { commaSeparated, inSlicesOf, sliceBytes } from './slices.js'
import { jsonOfKeyValue, piecesOfKeyValue } from './wireItems.js'

/* Requests that need the leader: keys, ranges, sessions. */

const badRequest = (sentence: BadText): HttpAnswer => problem(400, 'BadRequest', sentence)

const noBody = new Uint8Array(0)

const carryOut = (
  context: HttpContext,
  req: IncomingMessage,
  res: ServerResponse,
  asked: {
    readonly caller: Caller
    readonly command: KvCommand
    readonly body?: Uint8Array
    readonly render: (result: KvResult) => HttpAnswer
  },
): void => {
  const { caller, command, body = noBody, render } = asked
  const { answerTimeoutMs: timeoutMs, peers } = context.options
  const isForwarded = req.headers[forwardedHeader] !== undefined
  const waiting = context.gateway
    .execute({ request: { caller, command }, original: { req, body }, isForwarded, timeoutMs })
    .subscribe((outcome) => reply(context, res, answerOf(outcome, peers, render)))
  res.on('close', () => waiting.unsubscribe())
}

export const onKey = (context: HttpContext, req: IncomingMessage, res: ServerResponse, route: Extract<Route, { _tag: 'Key' }>): void => {
  const { headers } = req
  const { key, verb, query } = route
  const refuse = (answer: HttpAnswer): void => reply(context, res, answer)

  const asked = parameters(query, verb === 'GET' ? ['revision'] : [])
  if (either.isLeft(asked)) return refuse(badRequest(asked.left))
  if (verb === 'GET') {
    const at = asked.right.revision === undefined ? null : naturalIn(asked.right.revision)
    if (at === null && asked.right.revision !== undefined) return refuse(badRequest('revision is a whole number.'))
    const command: KvCommand = { _tag: 'Get', key, revision: at === null ? null : revision(at) }
    return carryOut(context, req, res, { caller: anonymous, command, render: (result) => readAnswer(result, headers) })
  }

  const caller = callerOf(headers)
  if (either.isLeft(caller)) return refuse(badRequest(caller.left))
  const condition = conditionOf(headers)
  if (either.isLeft(condition)) return refuse(badRequest(condition.left))
  if (verb === 'DELETE')
    return carryOut(context, req, res, { caller: caller.right, command: deleteCommand(key, condition.right), render: writeAnswer })

  const write = verb === 'PUT' ? putCommand : appendCommand
  const { maxBodyBytes: maxBytes, maxBufferedBytes } = context.options
  const run = (body: Buffer): void =>
    carryOut(context, req, res, { caller: caller.right, command: write(key, body, condition.right), body, render: writeAnswer })
  readBody(req, res, { maxBytes, maxBufferedBytes, buffered: context.buffered }, run, refuse)
}

export const onRange = (context: HttpContext, req: IncomingMessage, res: ServerResponse, query: string): void => {
  const refuse = (sentence: BadText): void => reply(context, res, badRequest(sentence))
  const asked = parameters(query, ['prefix', 'start', 'limit', 'revision'])
  if (either.isLeft(asked)) return refuse(asked.left)
  const { prefix = key(''), start, limit: limitText, revision: revisionText } = asked.right
  const limit = limitText === undefined ? context.options.rangeLimit : naturalIn(limitText)
  const at = revisionText === undefined ? undefined : naturalIn(revisionText)
  if (limit === null || at === null) return refuse('limit and revision are whole numbers.')

  const whole = withPrefix(prefix)
  const range: KeyRange = start === undefined || start < whole.start ? whole : { ...whole, start }
  const command: KvCommand = {
    _tag: 'Range',
    range,
    // Its status is all that a HEAD asks for.
    limit: req.method === 'HEAD' ? 0 : limit,
    revision: at === undefined ? null : revision(at),
    keysOnly: false,
    count: false,
  }
  carryOut(context, req, res, { caller: anonymous, command, render: rangeAnswer })
}

const rangeAnswer = (result: KvResult): HttpAnswer => {
  if (!isAnswer(result)) return refused(result)
  if (result._tag !== 'Ranged') throw new TypeError(`A range was answered with ${result._tag}.`)
  const { revision, kvs, more } = result
  const holds = sizeOfResult(result)
  if (holds <= sliceBytes) return json(200, { revision, kvs: kvs.map(jsonOfKeyValue), more })
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { _tag: 'Sliced', holds, slices: inSlicesOf(rangePieces(result)) },
  }
}

/** The same JSON, in pieces. */
function* rangePieces({ revision, kvs, more }: Extract<KvResult, { _tag: 'Ranged' }>): Generator<string> {
  yield `{"revision":${revision},"kvs":[`
  yield* commaSeparated(kvs, piecesOfKeyValue)
  yield `],"more":${more}}\n`
}

export const onSession = (context: HttpContext, req: IncomingMessage, res: ServerResponse): void =>
  carryOut(context, req, res, { caller: anonymous, command: { _tag: 'Register' }, render: sessionAnswer })

const sessionAnswer = (result: KvResult): HttpAnswer => {
  if (!isAnswer(result)) return refused(result)
  if (result._tag !== 'Registered') throw new TypeError(`A registration was answered with ${result._tag}.`)
  return json(200, { session: result.session })
}
