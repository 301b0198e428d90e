import { either } from 'fp-ts'
import { exhaustMap, filter, firstValueFrom, from, map, mergeMap, of, takeUntil, timer } from 'rxjs'
import { applyAll } from '../../src/kv/apply.js'
import { decodeSnapshot, snapshotErrorMessage } from '../../src/kv/snapshot.js'
import { emptyStore, type Store } from '../../src/kv/store.js'
import { logIndex } from '../../src/raft/ids.js'
import type { Log } from '../../src/raft/state/log.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { over$ } from './processes.js'

/** What a server says of itself. */
export interface Status {
  readonly id: string
  readonly role: string
  readonly term: number
  readonly leader: string | null
  readonly lastApplied: number
  readonly revision: number
  readonly keys: number
  readonly snapshotIndex: number
  readonly snapshotsInstalled: number
}

/** Null where it does not answer. */
const statusOf = async (url: string): Promise<Status | null> => {
  try {
    const response = await fetch(`${url}/v1/status`, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? ((await response.json()) as Status) : null
  } catch {
    return null
  }
}

/**
 * Looks at the servers until all of them answer and stand so. Fails when the test is over, so that no test that failed
 * goes on.
 */
export const until = (urls: ReadonlyArray<string>, stand: (all: ReadonlyArray<Status>) => boolean): Promise<ReadonlyArray<Status>> =>
  firstValueFrom(
    timer(0, 50).pipe(
      exhaustMap(() => Promise.all(urls.map(statusOf))),
      map((all) => all.filter((status) => status !== null)),
      filter((all) => all.length === urls.length && stand(all)),
      takeUntil(over$),
    ),
  )

/** They all say that the same one leads. */
export const agree = (all: ReadonlyArray<Status>): boolean =>
  all.some(({ role }) => role === 'Leader') && new Set(all.map(({ term, leader }) => `${term} ${leader ?? ''}`)).size === 1

/**
 * The store that is in a server's own directory: its snapshot and all of its log, applied here. To be asked of servers
 * that have stopped, and then nobody's word is needed for what they hold.
 */
export const storeIn = (directory: string): Promise<Store> =>
  firstValueFrom(
    from(diskStorage(directory).open()).pipe(
      mergeMap(({ recovered: { log, snapshot }, snapshots }) =>
        snapshot === null
          ? of(storeOf(log, emptyStore()))
          : from(snapshots.read(snapshot.ref, 0, snapshot.size)).pipe(map((bytes) => storeOf(log, restored(bytes)))),
      ),
    ),
  )

const restored = (bytes: Uint8Array): Store => {
  const decoded = decodeSnapshot(bytes)
  if (either.isLeft(decoded)) throw new Error(snapshotErrorMessage(decoded.left))
  return decoded.right
}

const storeOf = (log: Log, beginning: Store): Store => {
  let store = beginning
  for (let first = log.base.index + 1; first <= log.lastIndex;) {
    const entries = log.from(logIndex(first))
    const commands = entries.flatMap(({ kind, command }, i) => (kind === 'command' ? [{ index: first + i, command }] : []))
    store = applyAll(store, commands).store
    first += entries.length
  }
  return store
}
