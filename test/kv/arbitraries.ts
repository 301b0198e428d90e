import fc from 'fast-check'
import type { Caller, Compare, KeyRange, KvAnswer, KvCommand, KvRefusal, KvRequest, KvResult, TxnOp } from '../../src/kv/index.js'
import {
  anonymous,
  between,
  everything,
  from,
  key,
  keyOfBytes,
  revision,
  serial,
  sessionId,
  single,
  withPrefix,
} from '../../src/kv/index.js'

// Few keys, so that commands meet; with the bytes at which prefixes and ranges go wrong.
export const aKey = fc.constantFrom(...['a', 'a\0', 'ab', 'b', 'b\xff', 'b\xff\xff', 'c', '\0', '\xff', '\xff\xff'].map(key))
export const anyKey = fc.uint8Array({ maxLength: 40 }).map(keyOfBytes)
export const aValue = fc.uint8Array({ maxLength: 6 })

export const aRange: fc.Arbitrary<KeyRange> = fc.oneof(
  aKey.map(single),
  aKey.map(withPrefix),
  aKey.map(from),
  fc.tuple(aKey, aKey).map(([start, end]) => between(start, end)),
  fc.constant(everything),
)

const small = fc.nat({ max: 30 })
const natural = fc.oneof(small, fc.maxSafeNat())
const aRevision = small.map(revision)
const maybeRevision = fc.option(aRevision, { freq: 2 })
const aRelation = fc.constantFrom('=', '!=', '<', '>')

export const aCompare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({ _tag: fc.constant('CreateRevision'), range: aRange, relation: aRelation, operand: small }),
  fc.record({ _tag: fc.constant('ModRevision'), range: aRange, relation: aRelation, operand: small }),
  fc.record({ _tag: fc.constant('Version'), range: aRange, relation: aRelation, operand: fc.nat({ max: 3 }) }),
  fc.record({ _tag: fc.constant('Value'), range: aRange, relation: aRelation, operand: aValue }),
)

const aGet = fc.record({ _tag: fc.constant('Get'), key: aKey, revision: maybeRevision })
const aRangeRead = fc.record({
  _tag: fc.constant('Range'),
  range: aRange,
  limit: fc.option(fc.nat({ max: 4 })),
  revision: maybeRevision,
  keysOnly: fc.boolean(),
  count: fc.boolean(),
})
const aPut = fc.record({ _tag: fc.constant('Put'), key: aKey, value: aValue, prevKv: fc.boolean() })
const anAppend = fc.record({ _tag: fc.constant('Append'), key: aKey, value: aValue, prevKv: fc.boolean() })
const aDelete = fc.record({ _tag: fc.constant('Delete'), range: aRange, prevKv: fc.boolean() })
const aCompareAndSet = fc.record({
  _tag: fc.constant('CompareAndSet'),
  key: aKey,
  modRevision: fc.oneof(fc.constant(revision(0)), aRevision),
  value: aValue,
  prevKv: fc.boolean(),
})

const { op: anOp, txn: aTxn } = fc.letrec<{ op: TxnOp; txn: TxnOp }>((tie) => ({
  op: fc.oneof({ maxDepth: 2 }, aPut, aGet, aRangeRead, anAppend, aDelete, tie('txn')),
  txn: fc.record({
    _tag: fc.constant('Txn'),
    compares: fc.array(aCompare, { maxLength: 2 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
}))
export { anOp }

/** What changes and reads keys. */
export const aKeyCommand: fc.Arbitrary<KvCommand> = fc.oneof(
  { weight: 4, arbitrary: aPut },
  { weight: 2, arbitrary: anAppend },
  { weight: 2, arbitrary: aDelete },
  { weight: 2, arbitrary: aCompareAndSet },
  { weight: 3, arbitrary: aTxn },
  { weight: 1, arbitrary: aGet },
  { weight: 1, arbitrary: aRangeRead },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Compact'), revision: aRevision }) },
)

export const aCommand: fc.Arbitrary<KvCommand> = fc.oneof(
  { weight: 8, arbitrary: aKeyCommand },
  { weight: 1, arbitrary: fc.constant({ _tag: 'Register' }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Expire'), unusedSince: natural, limit: natural }) },
)

const aCaller: fc.Arbitrary<Caller> = fc.oneof(
  fc.constant(anonymous),
  fc.record({
    _tag: fc.constant('Session'),
    session: natural.map(sessionId),
    serial: natural.map(serial),
    firstUnanswered: natural.map(serial),
  }),
  fc.record({ _tag: fc.constant('Once'), idempotencyKey: anyKey }),
)

export const aRequest: fc.Arbitrary<KvRequest> = fc
  .record({ caller: aCaller, command: aCommand })
  .filter(({ caller, command }) => !(caller._tag === 'Session' && command._tag === 'Register'))

const aKeyValue = fc.record({
  key: anyKey,
  value: aValue,
  createRevision: natural.map(revision),
  modRevision: natural.map(revision),
  version: natural,
})
const at = natural.map(revision)

const { answer } = fc.letrec<{ answer: KvAnswer }>((tie) => ({
  answer: fc.oneof(
    { maxDepth: 2 },
    fc.record({ _tag: fc.constantFrom('Got', 'Conflict'), revision: at, kv: fc.option(aKeyValue) }),
    fc.record({
      _tag: fc.constant('Ranged'),
      revision: at,
      kvs: fc.array(aKeyValue, { maxLength: 3 }),
      more: fc.boolean(),
      count: fc.option(small),
    }),
    fc.record({ _tag: fc.constant('Written'), revision: at, prevKv: fc.option(aKeyValue) }),
    fc.record({ _tag: fc.constant('Deleted'), revision: at, deleted: natural, prevKvs: fc.array(aKeyValue, { maxLength: 3 }) }),
    fc.record({ _tag: fc.constant('CompactDone'), revision: at }),
    fc.record({ _tag: fc.constant('Registered'), revision: at, session: natural.map(sessionId) }),
    fc.record({ _tag: fc.constant('Expired'), revision: at, sessions: natural, idempotencyKeys: natural }),
    fc.record({
      _tag: fc.constant('TxnDone'),
      revision: at,
      succeeded: fc.boolean(),
      answers: fc.array(tie('answer'), { maxLength: 3 }),
    }),
  ),
}))

export const aRefusal: fc.Arbitrary<KvRefusal> = fc.oneof(
  fc.record({ _tag: fc.constant('Malformed'), reason: fc.string({ unit: 'grapheme-ascii' }) }),
  fc.record({ _tag: fc.constant('Compacted'), compactRevision: at }),
  fc.record({ _tag: fc.constant('FutureRevision'), revision: at }),
  fc.record({ _tag: fc.constantFrom('KeyEmpty', 'DifferentCommand') }),
  fc.record({ _tag: fc.constant('KeyTooLong'), maxKeyBytes: natural }),
  fc.record({ _tag: fc.constant('ValueTooLarge'), maxValueBytes: natural }),
  fc.record({ _tag: fc.constant('TxnTooLarge'), maxTxnOps: natural }),
  fc.record({ _tag: fc.constant('StoreFull'), maxLiveBytes: natural }),
  fc.record({ _tag: fc.constant('UnknownSession'), session: natural.map(sessionId) }),
  fc.record({ _tag: fc.constant('SerialAnswered'), firstUnanswered: natural.map(serial) }),
  fc.record({ _tag: fc.constant('TooManyUnanswered'), maxUnanswered: natural }),
  fc.record({ _tag: fc.constant('IdempotencyKeyUnfit'), maxIdempotencyKeyBytes: natural }),
)

export const aResult: fc.Arbitrary<KvResult> = fc.oneof(answer, aRefusal)
