import { append, dropBelow, emptyHistory, firstThatFits, type History } from './history.js'
import { nextRevision, type Revision, revision } from './ids.js'
import type { Key } from './key.js'
import { type Change, type KeyValue, sizeOf } from './keyValue.js'
import { type KvLimits, limitsFrom } from './limits.js'
import { type Checkpoint, checkpointChanges, type Versions } from './past.js'
import { PersistentTree } from './persistentTree.js'
import { type Clients, forkClients, noClients, sealClients } from './sessions.js'
import { byString } from './tree.js'

/**
 * The replicated state, as a value: applying a command gives a new one and leaves this one valid, for as long as it is
 * held. Read it with `get`, `range` and `eventsSince`. Guarantees:
 *
 *  1. it is a function of the commands applied and of the limits, and of nothing else;
 *  2. `keys` is the current state; every state from `compactRevision` to `revision` can be read;
 *  3. `history` holds the changes of each of these revisions, that of `compactRevision` included.
 *
 * @example
 * const show = ({ revision, compactRevision, appliedIndex }: Store) =>
 *   `revisions ${compactRevision} to ${revision}, made by the log up to entry ${appliedIndex}`
 */
export interface Store extends Versions {
  readonly limits: KvLimits
  /** The log index of the last command applied; part of the state, so that a snapshot holds both or neither. */
  readonly appliedIndex: number
  /** Memory that the current versions take, estimated. */
  readonly liveBytes: number
  readonly changesSinceCheckpoint: number
  readonly clients: Clients
}

/** A store that one owner is changing. */
export interface Draft extends Versions {
  readonly limits: KvLimits
  appliedIndex: number
  revision: Revision
  compactRevision: Revision
  keys: PersistentTree<Key, KeyValue>
  liveBytes: number
  pending: Change[]
  history: History
  checkpoints: ReadonlyArray<Checkpoint>
  changesSinceCheckpoint: number
  clients: Clients
}

/**
 * The draft of a store before its first change, or when a snapshot is read: at the revision before `first`, without
 * keys.
 */
export const emptyDraft = (limits: KvLimits, appliedIndex: number, first: Revision): Draft => ({
  limits,
  appliedIndex,
  revision: revision(first - 1),
  compactRevision: first,
  keys: PersistentTree.empty<Key, KeyValue>(byString),
  liveBytes: 0,
  pending: [],
  history: emptyHistory(first),
  checkpoints: [],
  changesSinceCheckpoint: 0,
  clients: noClients(),
})

/**
 * A store without keys, at revision 1.
 *
 * @param limits where they differ from `defaultLimits`; the same on every server of a cluster
 *
 * @example
 * const { store, result, events } = apply(emptyStore(), 1, encodeRequest({ caller: anonymous, command: { _tag: 'Register' } }))
 */
export const emptyStore = (limits: Partial<KvLimits> = {}): Store => {
  const draft = emptyDraft(limitsFrom(limits), 0, revision(1))
  addRevision(draft)
  return seal(draft)
}

/** A draft that starts as `store` and leaves it as it is. */
export const fork = (store: Store): Draft => ({ ...store, pending: [], clients: forkClients(store.clients) })

/** The draft as a value: from now on nothing in it changes. */
export const seal = (draft: Draft): Store => {
  draft.keys.seal()
  sealClients(draft.clients)
  return draft
}

/** Changes one key, as a part of the revision to come. */
export const change = (draft: Draft, changed: Change): void => {
  draft.keys = draft.keys.edit()
  if (changed._tag === 'Put') draft.keys.set(changed.key, changed.kv, changed.prevKv ?? undefined)
  else draft.keys.delete(changed.key, changed.prevKv)
  draft.liveBytes += growthOf(changed)
  draft.pending.push(changed)
}

/** Takes back what is pending. */
export const rollBack = (draft: Draft): void => {
  for (const changed of draft.pending.reverse()) {
    const { key, prevKv } = changed
    if (prevKv !== null) draft.keys.set(key, prevKv, changed.kv ?? undefined)
    else if (changed.kv !== null) draft.keys.delete(key, changed.kv)
    draft.liveBytes -= growthOf(changed)
  }
  draft.pending = []
}

const noChanges: ReadonlyArray<Change> = []

/** Makes what is pending the next revision, if there is any, and gives it. */
export const commit = (draft: Draft): ReadonlyArray<Change> => {
  if (draft.pending.length === 0) return noChanges
  const changes = addRevision(draft)
  trim(draft)
  return changes
}

/** Forgets what is older than `to`, which stays readable and watchable. */
export const compactTo = (draft: Draft, to: Revision): void => {
  draft.compactRevision = to
  draft.history = dropBelow(draft.history, to)
  draft.checkpoints = draft.checkpoints.filter((checkpoint) => checkpoint.revision >= to)
}

/** How many bytes a change adds to the live ones. */
export const growthOf = ({ kv, prevKv }: Change): number => (kv === null ? 0 : sizeOf(kv)) - (prevKv === null ? 0 : sizeOf(prevKv))

/** Makes what is pending the next revision, even if that is nothing. */
export const addRevision = (draft: Draft): ReadonlyArray<Change> => {
  // exactly as long as it is: an array that grew has room to spare, and the history is long
  const changes = draft.pending.slice()
  draft.pending.length = 0
  draft.revision = nextRevision(draft.revision)
  draft.history = append(draft.history, changes)
  draft.changesSinceCheckpoint += changes.length
  if (draft.changesSinceCheckpoint >= checkpointChanges) {
    draft.changesSinceCheckpoint = 0
    draft.checkpoints = [...draft.checkpoints, { revision: draft.revision, keys: draft.keys.copy() }]
  }
  return changes
}

/**
 * Keeps the history within its bounds, an eighth at a time, so that a write costs the same on average as without
 * bounds.
 */
const trim = (draft: Draft): void => {
  const { history, revision: last, limits } = draft
  const { maxHistoryRevisions, maxHistoryBytes } = limits
  if (history.next - history.first <= maxHistoryRevisions && history.bytes <= maxHistoryBytes) return
  const keep = (bound: number): number => bound - Math.floor(bound / 8)
  const to = Math.max(history.next - keep(maxHistoryRevisions), firstThatFits(history, keep(maxHistoryBytes)))
  compactTo(draft, revision(Math.min(to, last)))
}
