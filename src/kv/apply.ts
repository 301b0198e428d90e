import { either } from 'fp-ts'
import { isRead, type KvCommand } from './command.js'
import { crc32 } from './crc32.js'
import type { Change } from './keyValue.js'
import { openRequest } from './requestCodec.js'
import { isAnswer, type KvResult } from './result.js'
import { admit, expire, register, remember } from './sessions.js'
import { commit, compactTo, type Draft, fork, rollBack, seal, type Store } from './store.js'
import { compareAndSet, perform } from './txn.js'

/**
 * A committed log entry that holds a command.
 *
 * @example
 * const entry: CommandEntry = { index: 1, command: encodeRequest({ caller: anonymous, command: { _tag: 'Register' } }) }
 */
export interface CommandEntry {
  /** Its log index. Indexes rise; they have gaps where the log holds no-ops and configurations. */
  readonly index: number
  /** As `encodeRequest` makes it. Other bytes are answered with `Malformed`. */
  readonly command: Uint8Array
}

/**
 * The effect of one command.
 *
 * @example
 * const show = ({ index, result }: KvApplied) => `entry ${index}: ${isAnswer(result) ? 'done' : refusalMessage(result)}`
 */
export interface KvApplied {
  readonly index: number
  readonly result: KvResult
  /** Its changes, in order: none for a read, a refusal, a retry. */
  readonly events: ReadonlyArray<Change>
}

/**
 * The state machine: the next store, what the client is told, and what watchers are told. Deterministic and pure: the
 * former store stays valid.
 *
 * @throws when `index` is not after the store's `appliedIndex`: an entry is applied once (§5.3)
 *
 * @example
 * const bytes = encodeRequest({ caller: anonymous, command: { _tag: 'Put', key: key('a'), value: Uint8Array.of(1), prevKv: false } })
 * // result: { _tag: 'Written', revision: 2, prevKv: null }
 * const { store, result, events } = apply(emptyStore(), 1, bytes)
 */
export const apply = (store: Store, index: number, command: Uint8Array): KvApplied & { readonly store: Store } => {
  const draft = fork(store)
  const applied = applyOne(draft, index, command)
  return { store: seal(draft), ...applied }
}

/**
 * Like `apply` for each entry in turn; the stores between them are not made.
 *
 * @example
 * const value = Uint8Array.of(1)
 * const put = (k: string) => encodeRequest({ caller: anonymous, command: { _tag: 'Put', key: key(k), value, prevKv: false } })
 * const { store, applied } = applyAll(emptyStore(), [{ index: 1, command: put('a') }, { index: 3, command: put('b') }])
 * applied.map(({ result }) => result._tag) // ['Written', 'Written']; store.revision is 3, store.appliedIndex is 3
 */
export const applyAll = (
  store: Store,
  entries: ReadonlyArray<CommandEntry>,
): { readonly store: Store; readonly applied: ReadonlyArray<KvApplied> } => {
  const draft = fork(store)
  const applied = entries.map(({ index, command }) => applyOne(draft, index, command))
  return { store: seal(draft), applied }
}

const applyOne = (draft: Draft, index: number, bytes: Uint8Array): KvApplied => {
  if (index <= draft.appliedIndex)
    throw new RangeError(`entry ${index} comes after entry ${draft.appliedIndex} was applied: an entry is applied once`)
  draft.appliedIndex = index

  const opened = openRequest(bytes)
  if (either.isLeft(opened)) {
    const { at, reason } = opened.left
    return { index, result: { _tag: 'Malformed', reason: `${reason} (at byte ${at})` }, events: [] }
  }
  const { caller, command, commandBytes } = opened.right
  const { clients, limits } = draft

  if (caller._tag === 'Anonymous') return execute(draft, index, command)
  const hash = crc32(commandBytes)
  const known = admit(clients, limits, index, caller, hash)
  if (known !== null) return { index, result: known, events: [] }
  const applied = execute(draft, index, command)
  if (!isRead(command)) remember(clients, limits, index, caller, { hash, result: applied.result })
  return applied
}

const execute = (draft: Draft, index: number, command: KvCommand): KvApplied => {
  const result = resultOf(draft, index, command)
  if (!isAnswer(result)) rollBack(draft)
  return { index, result, events: commit(draft) }
}

const resultOf = (draft: Draft, index: number, command: KvCommand): KvResult => {
  const { revision, compactRevision, clients, limits } = draft
  switch (command._tag) {
    case 'CompareAndSet':
      return compareAndSet(draft, command)
    case 'Compact':
      if (command.revision <= compactRevision) return { _tag: 'Compacted', compactRevision }
      if (command.revision > revision) return { _tag: 'FutureRevision', revision }
      compactTo(draft, command.revision)
      return { _tag: 'CompactDone', revision }
    case 'Register':
      return { _tag: 'Registered', revision, session: register(clients, limits, index) }
    case 'Expire':
      return { _tag: 'Expired', revision, ...expire(clients, command) }
    default:
      return perform(draft, command)
  }
}
