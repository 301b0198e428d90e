import {
  anonymous,
  applyAll,
  type Caller,
  emptyStore,
  encodeSnapshot,
  encodeRequest,
  encodeResult,
  everything,
  key,
  type KvCommand,
  type KvResult,
  revision,
  serial,
  sessionId,
  single,
  withPrefix,
  between,
} from '../../src/kv/index.js'

const command = (name: string, c: KvCommand): readonly [string, Uint8Array] => [
  `command ${name}`,
  encodeRequest({ caller: anonymous, command: c }),
]
const result = (name: string, r: KvResult): readonly [string, Uint8Array] => [`result ${name}`, encodeResult(r)]

const value = Uint8Array.of(0, 255)
const kv = { key: key('k\xff'), value, createRevision: revision(2), modRevision: revision(300), version: 3 }
const at = revision(300)

const request = (caller: Caller, c: KvCommand, index: number) => ({ index, command: encodeRequest({ caller, command: c }) })

/** A store with a history that was cut, a session and an idempotency key. */
const someStore = applyAll(emptyStore(), [
  request(anonymous, { _tag: 'Register' }, 1),
  request(anonymous, { _tag: 'Put', key: key('a'), value, prevKv: false }, 2),
  request(
    { _tag: 'Session', session: sessionId(1), serial: serial(3), firstUnanswered: serial(2) },
    { _tag: 'Put', key: key('a'), value, prevKv: true },
    4,
  ),
  request({ _tag: 'Once', idempotencyKey: key('id-1') }, { _tag: 'Delete', range: everything, prevKv: false }, 5),
  request(anonymous, { _tag: 'Put', key: key('b'), value, prevKv: false }, 6),
  request(anonymous, { _tag: 'Compact', revision: revision(3) }, 7),
]).store

/** One of each kind, with every optional part there and not there at least once. */
export const golden: ReadonlyArray<readonly [name: string, bytes: Uint8Array]> = [
  command('get', { _tag: 'Get', key: key('k'), revision: null }),
  command('get-at', { _tag: 'Get', key: key('k'), revision: at }),
  command('range', { _tag: 'Range', range: everything, limit: null, revision: null, keysOnly: false, count: false }),
  command('range-page', { _tag: 'Range', range: withPrefix(key('k/')), limit: 0, revision: at, keysOnly: true, count: true }),
  command('put', { _tag: 'Put', key: key('k'), value, prevKv: true }),
  command('append', { _tag: 'Append', key: key('k'), value, prevKv: false }),
  command('delete', { _tag: 'Delete', range: single(key('k')), prevKv: false }),
  command('delete-range', { _tag: 'Delete', range: between(key('a'), key('b')), prevKv: true }),
  command('cas', { _tag: 'CompareAndSet', key: key('k'), modRevision: at, value, prevKv: false }),
  command('txn', {
    _tag: 'Txn',
    compares: [
      { _tag: 'CreateRevision', range: single(key('k')), relation: '=', operand: 1 },
      { _tag: 'ModRevision', range: single(key('k')), relation: '!=', operand: 2 },
      { _tag: 'Version', range: single(key('k')), relation: '<', operand: 3 },
      { _tag: 'Value', range: everything, relation: '>', operand: value },
    ],
    success: [
      { _tag: 'Put', key: key('k'), value, prevKv: false },
      { _tag: 'Txn', compares: [], success: [], failure: [] },
    ],
    failure: [{ _tag: 'Get', key: key('k'), revision: null }],
  }),
  command('compact', { _tag: 'Compact', revision: at }),
  command('register', { _tag: 'Register' }),
  command('expire', { _tag: 'Expire', unusedSince: 70_000, limit: 1000 }),
  [
    'caller session',
    encodeRequest({
      caller: { _tag: 'Session', session: sessionId(2 ** 40), serial: serial(7), firstUnanswered: serial(5) },
      command: { _tag: 'Compact', revision: at },
    }),
  ],
  ['caller once', encodeRequest({ caller: { _tag: 'Once', idempotencyKey: key('id-1') }, command: { _tag: 'Register' } })],
  result('got', { _tag: 'Got', revision: at, kv }),
  result('got-nothing', { _tag: 'Got', revision: at, kv: null }),
  result('ranged', { _tag: 'Ranged', revision: at, kvs: [kv, kv], more: true, count: 9 }),
  result('ranged-uncounted', { _tag: 'Ranged', revision: at, kvs: [], more: false, count: null }),
  result('written', { _tag: 'Written', revision: at, prevKv: kv }),
  result('deleted', { _tag: 'Deleted', revision: at, deleted: 2, prevKvs: [kv] }),
  result('conflict', { _tag: 'Conflict', revision: at, kv }),
  result('txn', { _tag: 'TxnDone', revision: at, succeeded: true, answers: [{ _tag: 'Written', revision: at, prevKv: null }] }),
  result('compacted', { _tag: 'CompactDone', revision: at }),
  result('registered', { _tag: 'Registered', revision: at, session: sessionId(70_000) }),
  result('expired', { _tag: 'Expired', revision: at, sessions: 1, idempotencyKeys: 2 }),
  result('refused-malformed', { _tag: 'Malformed', reason: 'why' }),
  result('refused-compacted', { _tag: 'Compacted', compactRevision: at }),
  result('refused-future', { _tag: 'FutureRevision', revision: at }),
  result('refused-key-empty', { _tag: 'KeyEmpty' }),
  result('refused-key-too-long', { _tag: 'KeyTooLong', maxKeyBytes: 4096 }),
  result('refused-value-too-large', { _tag: 'ValueTooLarge', maxValueBytes: 1024 * 1024 }),
  result('refused-txn-too-large', { _tag: 'TxnTooLarge', maxTxnOps: 128 }),
  result('refused-store-full', { _tag: 'StoreFull', maxLiveBytes: 1 }),
  result('refused-unknown-session', { _tag: 'UnknownSession', session: sessionId(9) }),
  result('refused-serial-answered', { _tag: 'SerialAnswered', firstUnanswered: serial(9) }),
  result('refused-too-many-unanswered', { _tag: 'TooManyUnanswered', maxUnanswered: 9 }),
  result('refused-different-command', { _tag: 'DifferentCommand' }),
  result('refused-idempotency-key', { _tag: 'IdempotencyKeyUnfit', maxIdempotencyKeyBytes: 128 }),
  ['snapshot', encodeSnapshot(someStore)],
]
