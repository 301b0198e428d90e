import type { IncomingHttpHeaders } from 'node:http'
import { function as F } from 'fp-ts'
import type { KvCommand, Txn, TxnOp } from '../../../src/kv/command.js'
import { type Key, single } from '../../../src/kv/key.js'
import type { KeyValue } from '../../../src/kv/keyValue.js'
import { isAnswer, type KvAnswer, type KvResult } from '../../../src/kv/result.js'
import { type HttpAnswer, json, problem, refused } from './answer.js'
import { type Condition, etagOf, isKnown } from './condition.js'

/* Requests for a single key: the command that a request is, and the answer that a result is. */

const get = (key: Key): TxnOp => ({ _tag: 'Get', key, revision: null })

/** `op` where the key is, and as it is expected to be; else what there is. */
const conditional = (key: Key, condition: Exclude<Condition, { _tag: 'Always' }>, op: TxnOp): Txn => {
  const range = single(key)
  const success = [op]
  const failure = [get(key)]
  switch (condition._tag) {
    case 'AtRevision':
      return { _tag: 'Txn', compares: [{ _tag: 'ModRevision', range, relation: '=', operand: condition.revision }], success, failure }
    case 'Exists':
      return { _tag: 'Txn', compares: [{ _tag: 'Version', range, relation: '>', operand: 0 }], success, failure }
    case 'Never':
      return { _tag: 'Txn', compares: [{ _tag: 'Version', range, relation: '<', operand: 0 }], success, failure }
    default:
      return F.absurd(condition)
  }
}

const under = (condition: Condition, key: Key, op: TxnOp): KvCommand => (condition._tag === 'Always' ? op : conditional(key, condition, op))

export const putCommand = (key: Key, value: Uint8Array, condition: Condition): KvCommand =>
  condition._tag === 'AtRevision'
    ? { _tag: 'CompareAndSet', key, modRevision: condition.revision, value, prevKv: false }
    : under(condition, key, { _tag: 'Put', key, value, prevKv: false })

export const appendCommand = (key: Key, value: Uint8Array, condition: Condition): KvCommand =>
  under(condition, key, { _tag: 'Append', key, value, prevKv: false })

export const deleteCommand = (key: Key, condition: Condition): KvCommand =>
  under(condition, key, { _tag: 'Delete', range: single(key), prevKv: false })

const notFound = (): HttpAnswer => problem(404, 'KeyNotFound', 'There is no such key.')

const conflict = (kv: KeyValue | null): HttpAnswer =>
  problem(
    412,
    'Conflict',
    kv === null
      ? 'There is no such key, so nothing was done: read and try again.'
      : `The key stands at revision ${kv.modRevision}, so nothing was done: read and try again.`,
    kv === null ? {} : { etag: etagOf(kv.modRevision) },
    { modRevision: kv?.modRevision ?? 0 },
  )

/** The answer to a write of one key. */
export const writeAnswer = (result: KvResult): HttpAnswer => {
  if (!isAnswer(result)) return refused(result)
  switch (result._tag) {
    case 'Written':
      return json(200, { revision: result.revision }, { etag: etagOf(result.revision) })
    case 'Deleted':
      return result.deleted === 0 ? notFound() : json(200, { revision: result.revision, deleted: result.deleted })
    case 'Conflict':
      return conflict(result.kv)
    case 'TxnDone':
      return result.succeeded ? writeAnswer(result.answers[0]!) : conflictIn(result.answers[0]!)
    default:
      throw new TypeError(`A write of one key was answered with ${result._tag}.`)
  }
}

const conflictIn = (answer: KvAnswer): HttpAnswer => conflict(answer._tag === 'Got' ? answer.kv : null)

/** The answer to a read of one key: the value as it is. */
export const readAnswer = (result: KvResult, headers: IncomingHttpHeaders): HttpAnswer => {
  if (!isAnswer(result)) return refused(result)
  if (result._tag !== 'Got') throw new TypeError(`A read of one key was answered with ${result._tag}.`)
  const { kv } = result
  if (kv === null) return notFound()
  const about = {
    etag: etagOf(kv.modRevision),
    'rxraft-create-revision': String(kv.createRevision),
    'rxraft-version': String(kv.version),
  }
  if (isKnown(headers, kv.modRevision)) return { status: 304, headers: about, body: '' }
  // `nosniff` with it: a value that a client stored must not become a page of this origin.
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff', ...about },
    body: kv.value,
  }
}
