import { function as F } from 'fp-ts'
import type { CompareAndSet, Compare, Relation, Txn, TxnOp } from './command.js'
import { single } from './key.js'
import type { KeyValue } from './keyValue.js'
import { headRevision, readKey, readRange } from './query.js'
import { isAnswer, type KvAnswer, type KvResult } from './result.js'
import type { Draft } from './store.js'
import { scan } from './tree.js'
import { append, deleteRange, put } from './write.js'

/** A transaction whose comparisons were made. */
interface Decided {
  readonly _tag: 'Decided'
  readonly succeeded: boolean
  readonly ops: ReadonlyArray<Exclude<TxnOp, Txn> | Decided>
}

/** Executes a transaction; one refusal refuses it all, and the caller rolls back. */
export const transact = (draft: Draft, txn: Txn): KvResult => {
  const { maxTxnOps } = draft.limits
  return sizeOfTxn(txn) > maxTxnOps ? { _tag: 'TxnTooLarge', maxTxnOps } : perform(draft, decide(draft, txn))
}

/** The thin case: one comparison, one put, and one get that tells what there is instead. */
export const compareAndSet = (draft: Draft, { key, modRevision, value, prevKv }: CompareAndSet): KvResult => {
  const result = transact(draft, {
    _tag: 'Txn',
    compares: [{ _tag: 'ModRevision', range: single(key), relation: '=', operand: modRevision }],
    success: [{ _tag: 'Put', key, value, prevKv }],
    failure: [{ _tag: 'Get', key, revision: null }],
  })
  const answer = result._tag === 'TxnDone' ? result.answers[0] : undefined
  if (answer === undefined) return result
  return answer._tag === 'Got' ? { ...answer, _tag: 'Conflict' } : answer
}

/** Executes one operation; what it changes is pending. */
export const perform = (draft: Draft, op: TxnOp | Decided): KvResult => {
  switch (op._tag) {
    case 'Get':
      return readKey(draft, op)
    case 'Range':
      return readRange(draft, op)
    case 'Put':
      return put(draft, op)
    case 'Append':
      return append(draft, op)
    case 'Delete':
      return deleteRange(draft, op)
    case 'Txn':
      return transact(draft, op)
    case 'Decided':
      return performAll(draft, op)
    default:
      return F.absurd(op)
  }
}

const performAll = (draft: Draft, { succeeded, ops }: Decided): KvResult => {
  const answers: KvAnswer[] = []
  for (const op of ops) {
    const result = perform(draft, op)
    if (!isAnswer(result)) return result
    answers.push(result)
  }
  return { _tag: 'TxnDone', revision: headRevision(draft), succeeded, answers }
}

const sizeOfTxn = ({ compares, success, failure }: Txn): number =>
  [...success, ...failure].reduce(
    (size, op) => size + (op._tag === 'Txn' ? sizeOfTxn(op) : 0),
    compares.length + success.length + failure.length,
  )

/** All comparisons are made against the state before the transaction, as etcd makes them. */
const decide = (draft: Draft, { compares, success, failure }: Txn): Decided => {
  const succeeded = compares.every((compare) => holds(draft, compare))
  const ops = (succeeded ? success : failure).map((op) => (op._tag === 'Txn' ? decide(draft, op) : op))
  return { _tag: 'Decided', succeeded, ops }
}

const holds = ({ keys }: Draft, compare: Compare): boolean => {
  let found = false
  let allHold = true
  scan(keys, compare.range, (kv) => {
    found = true
    allHold = stands(compare.relation, difference(compare, kv))
    return allHold
  })
  return found ? allHold : compare._tag !== 'Value' && stands(compare.relation, 0 - compare.operand)
}

const difference = (compare: Compare, kv: KeyValue): number => {
  switch (compare._tag) {
    case 'CreateRevision':
      return kv.createRevision - compare.operand
    case 'ModRevision':
      return kv.modRevision - compare.operand
    case 'Version':
      return kv.version - compare.operand
    case 'Value':
      return compareBytes(kv.value, compare.operand)
    default:
      return F.absurd(compare)
  }
}

const stands = (relation: Relation, difference: number): boolean => {
  switch (relation) {
    case '=':
      return difference === 0
    case '!=':
      return difference !== 0
    case '<':
      return difference < 0
    case '>':
      return difference > 0
    default:
      return F.absurd(relation)
  }
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}
