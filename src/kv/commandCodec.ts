import { array, bytes, type Codec, flag, keyCodec, natural, naturalOrNull, oneOf, recursive, tagged, type Variants } from './codec.js'
import type { Caller, Compare, KvCommand, Relation, TxnOp } from './command.js'
import { keyRangeCodec } from './keyCodec.js'

/*
 * The format of commands in the log. Codes and fields stay as they are for as long as logs hold them; new codes may be
 * added. An older server finds a newer command malformed where a newer one carries it out, so a cluster must not use a
 * new command before all its servers know it.
 */

const relation = oneOf<Relation>('relation', ['=', '!=', '<', '>'])

const compare = tagged<Compare>('comparison', {
  CreateRevision: [0, { range: keyRangeCodec, relation, operand: natural() }],
  ModRevision: [1, { range: keyRangeCodec, relation, operand: natural() }],
  Version: [2, { range: keyRangeCodec, relation, operand: natural() }],
  Value: [3, { range: keyRangeCodec, relation, operand: bytes }],
})

const txnOps: Variants<TxnOp> = {
  Get: [1, { key: keyCodec, revision: naturalOrNull() }],
  Range: [2, { range: keyRangeCodec, limit: naturalOrNull(), revision: naturalOrNull(), keysOnly: flag, count: flag }],
  Put: [3, { key: keyCodec, value: bytes, prevKv: flag }],
  Append: [4, { key: keyCodec, value: bytes, prevKv: flag }],
  Delete: [5, { range: keyRangeCodec, prevKv: flag }],
  Txn: [
    7,
    {
      compares: array(compare),
      success: array(recursive((): Codec<TxnOp> => txnOp)),
      failure: array(recursive((): Codec<TxnOp> => txnOp)),
    },
  ],
}
const txnOp = tagged<TxnOp>('operation of a transaction', txnOps)

export const commandCodec = tagged<KvCommand>('command', {
  ...txnOps,
  CompareAndSet: [6, { key: keyCodec, modRevision: natural(), value: bytes, prevKv: flag }],
  Compact: [8, { revision: natural() }],
  Register: [9, {}],
  Expire: [10, { unusedSince: natural(), limit: natural() }],
})

export const callerCodec = tagged<Caller>('caller', {
  Anonymous: [0, {}],
  Session: [1, { session: natural(), serial: natural(), firstUnanswered: natural() }],
  Once: [2, { idempotencyKey: keyCodec }],
})
