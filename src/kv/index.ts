export { apply, applyAll, type CommandEntry, type KvApplied } from './apply.js'
export type { BadBytes } from './bytes.js'
export {
  anonymous,
  type Append,
  type Caller,
  type Compact,
  type Compare,
  type CompareAndSet,
  type CompareNumber,
  type CompareValue,
  type Delete,
  type Expire,
  type Get,
  isRead,
  type KvCommand,
  type KvRequest,
  type Put,
  type Range,
  type Register,
  type Relation,
  type Txn,
  type TxnOp,
} from './command.js'
export { Revision, revision, Serial, serial, SessionId, sessionId } from './ids.js'
export { between, bytesOfKey, contains, everything, from, type Key, key, keyOfBytes, type KeyRange, single, withPrefix } from './key.js'
export type { Change, KeyValue } from './keyValue.js'
export { defaultLimits, type KvLimits } from './limits.js'
export { eventsSince, get, range } from './query.js'
export { decodeRequest, encodeRequest } from './requestCodec.js'
export { type Compacted, type FutureRevision, isAnswer, type KvAnswer, type KvRefusal, type KvResult, refusalMessage } from './result.js'
export { decodeResult, encodeResult } from './resultCodec.js'
export {
  decodeSnapshot,
  digest,
  encodeSnapshot,
  type SnapshotError,
  snapshotErrorMessage,
  snapshotPieces,
  snapshotReading,
} from './snapshot.js'
export { emptyStore, type Store } from './store.js'
