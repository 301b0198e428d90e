import { AsyncSubject, defer, lastValueFrom, map, mergeMap, type Observable, of, switchMap, takeUntil } from 'rxjs'
import { either } from 'fp-ts'
import type { KvCommand } from '../../../src/kv/command.js'
import { revision } from '../../../src/kv/ids.js'
import type { KeyRange } from '../../../src/kv/key.js'
import { IterableObservable } from '../../rx/iterable.js'
import { optional, whole } from '../../options/checks.js'
import { asking, type CallOptions, inRange, timeoutOf } from './asking.js'
import * as commands from './commands.js'
import { changesOf, itemOf, type KvChanges, type KvItem } from './items.js'
import { load, type LoadProgress } from './load.js'
import { Operations } from './operations.js'
import { type ClientOptions, tunedClient } from './options.js'
import type { Outcome } from './outcome.js'
import { resuming } from './watch.js'

export type { CallOptions } from './asking.js'

/**
 * What came of a write: the revision that it made.
 *
 * @example
 * const { revision }: KvWritten = await client.put('a', '1')
 * await client.get('a', { revision }) // as this write left it, whatever was written since
 */
export interface KvWritten {
  readonly revision: number
}

/**
 * A part of a range.
 *
 * @example
 * const { items, more }: KvPage = await client.range('users/', { limit: 100 })
 */
export interface KvPage {
  readonly revision: number
  readonly items: ReadonlyArray<KvItem>
  /** There are more keys than these. */
  readonly more: boolean
}

/**
 * The options of `load`.
 *
 * @example
 * client.load([{ key: 'a', value: '1' }], { maxInFlight: 64, timeoutMs: 60_000 }).subscribe()
 */
export interface LoadOptions extends CallOptions {
  /** Puts under way. Default: the client's `maxInFlight`. */
  readonly maxInFlight?: number
}

/**
 * A client of the store. Its promises reject with a `ClientError`, whose `reason` tells "not done" from "unknown". In a
 * session, which is the default, an operation that was tried several times was applied once.
 *
 * @example
 * const { revision } = await client.put('greeting', 'hello')
 * await client.compareAndSet('greeting', 'bye', { revision }) // { _tag: 'Written', revision: 3 }, or a Conflict
 * for await (const { key } of client.scan('')) console.log(key) // greeting
 */
export interface Client {
  /** Writes a value. */
  put(key: string, value: string | Uint8Array, options?: CallOptions): Promise<KvWritten>
  /** Puts what the key held and `value` after it. */
  append(key: string, value: string | Uint8Array, options?: CallOptions): Promise<KvWritten>
  /** `deleted` is 0 where there was no such key. */
  delete(key: string, options?: CallOptions): Promise<{ readonly revision: number; readonly deleted: number }>
  /** Puts if the key's mod revision is `revision`, 0 meaning that there is no such key; else tells what there is. */
  compareAndSet(
    key: string,
    value: string | Uint8Array,
    options: CallOptions & { readonly revision: number },
  ): Promise<{ readonly _tag: 'Written'; readonly revision: number } | { readonly _tag: 'Conflict'; readonly item: KvItem | null }>
  /** Everything that was acknowledged to anyone before this call is seen. */
  get(key: string, options?: CallOptions & { readonly revision?: number }): Promise<KvItem | null>
  /** The keys with `prefix` in the order of their bytes, as many as the server gives at once. */
  range(prefix: string, options?: CallOptions & { readonly revision?: number; readonly limit?: number }): Promise<KvPage>
  /** All keys with `prefix`, page by page, as they were at one moment. Fails with a `ClientError`. */
  scan(prefix: string, options?: CallOptions): IterableObservable<KvItem>
  /** Any command, now and once; tells its outcome and replays it. Works in virtual time, where promises do not. */
  execute(command: KvCommand, options?: CallOptions): Observable<Outcome>
  /**
   * Changes of the keys with `prefix`, without gap or duplicate, through changes of server. Fails with a `WatchError`;
   * throws `InvalidOption`.
   */
  watch(prefix: string, options?: { readonly fromRevision?: number }): IterableObservable<KvChanges>
  /**
   * Puts everything, many at a time, each once; tells how far it is, and fails with a `ClientError` at the first that
   * cannot be put.
   */
  load(entries: Iterable<KvEntry> | AsyncIterable<KvEntry>, options?: LoadOptions): IterableObservable<LoadProgress>
  /** The endpoint that is taken for the leader's; replays. */
  readonly endpoint$: IterableObservable<string>
  /** Ends every operation: what was never sent is `Closed`, the rest `Indeterminate`. Watches complete. */
  close(): void
}

/**
 * A key and the value that it is to have.
 *
 * @example
 * const entry: KvEntry = { key: 'a', value: '1' }
 */
export interface KvEntry {
  readonly key: string
  readonly value: string | Uint8Array
}

/**
 * A client. Throws `InvalidOption` where an option cannot work. Nothing is sent before the first operation.
 *
 * @example
 * import { httpTransport } from 'rxraft/node'
 *
 * const client = createClient({ transport: httpTransport(), endpoints: ['http://127.0.0.1:7401', 'http://127.0.0.1:7402'] })
 * await client.put('greeting', 'hello')
 * const item = await client.get('greeting') // { key: 'greeting', value: Uint8Array, modRevision: 2, version: 1, … }
 */
export const createClient = (clientOptions: ClientOptions): Client => {
  const options = tunedClient(clientOptions)
  const operations = new Operations(options)
  const { begin, ask, page, pages } = asking(operations, options.timeoutMs)
  const closed$ = new AsyncSubject<true>()

  return {
    put: (key, value, given) => ask(commands.put(key, value), given, 'Written').then(revisionOf),
    append: (key, value, given) => ask(commands.append(key, value), given, 'Written').then(revisionOf),
    delete: (key, given) => ask(commands.remove(key), given, 'Deleted').then(({ revision, deleted }) => ({ revision, deleted })),
    compareAndSet: (key, value, given) =>
      ask(commands.compareAndSet(key, value, given.revision), given, 'Written', 'Conflict').then((answer) =>
        answer._tag === 'Written'
          ? { _tag: 'Written', revision: answer.revision }
          : { _tag: 'Conflict', item: answer.kv === null ? null : itemOf(answer.kv) },
      ),
    get: (key, given = {}) => ask(commands.get(key, given.revision), given, 'Got').then(({ kv }) => (kv === null ? null : itemOf(kv))),
    range: (prefix, given) =>
      lastValueFrom(
        defer(() => inRange(prefix, (range) => page(range, given))).pipe(
          map(({ revision, kvs, more }) => ({ revision, items: kvs.map(itemOf), more })),
        ),
      ),
    scan: (prefix, given = {}) => {
      const timeoutMs = timeoutOf(given, options.timeoutMs)
      return new IterableObservable(
        defer(() => inRange(prefix, (range) => pages(range, { timeoutMs }))).pipe(mergeMap(({ kvs }) => kvs.map(itemOf))),
      )
    },
    execute: (command, given = {}) => begin(either.right(command), timeoutOf(given, options.timeoutMs)),
    watch: (prefix, { fromRevision } = {}) => {
      optional(whole(0))('fromRevision', fromRevision)
      // A linearizable read says what the present is: the server that will be watched may not have come so far.
      const watched = (range: KeyRange): Observable<KvChanges> =>
        (fromRevision === undefined ? page(range, { limit: 0 }).pipe(map((present) => present.revision + 1)) : of(fromRevision)).pipe(
          switchMap((first) => resuming(options, range.start, revision(first))),
          map(changesOf),
        )
      return new IterableObservable(defer(() => inRange(prefix, watched)).pipe(takeUntil(closed$)))
    },
    load: (entries, { maxInFlight = options.maxInFlight, ...given } = {}) => {
      const timeoutMs = timeoutOf(given, options.timeoutMs)
      whole()('maxInFlight', maxInFlight)
      return new IterableObservable(
        load<KvEntry>({
          entries,
          maxInFlight,
          put: ({ key, value }) => begin(commands.put(key, value), timeoutMs),
          retries: () => operations.retries,
          scheduler: options.scheduler,
        }),
      )
    },
    endpoint$: new IterableObservable(operations.target$),
    close: () => {
      operations.close()
      closed$.next(true)
      closed$.complete()
    },
  }
}

const revisionOf = ({ revision }: KvWritten): KvWritten => ({ revision })
