import {
  AsyncSubject,
  defer,
  EMPTY,
  expand,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  of,
  switchMap,
  takeUntil,
  throwError,
} from 'rxjs'
import { either } from 'fp-ts'
import type { KvCommand } from '../../../src/kv/command.js'
import { Revision, revision } from '../../../src/kv/ids.js'
import { key as asKey, type KeyRange, withPrefix } from '../../../src/kv/key.js'
import type { KvAnswer } from '../../../src/kv/result.js'
import { IterableObservable } from '../../rx/iterable.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { calls } from './calls.js'
import * as commands from './commands.js'
import { changesOf, itemOf, type KvChanges, type KvItem } from './items.js'
import { load, type LoadProgress } from './load.js'
import { type ClientOptions, tunedClient } from './options.js'
import { ClientError, type Outcome } from './outcome.js'
import { resuming } from './watch.js'

export interface CallOptions {
  /** Default: the client's. */
  readonly timeoutMs?: number
}

export interface KvWritten {
  readonly revision: number
}

/** A part of a range. */
export interface KvPage {
  readonly revision: number
  readonly items: ReadonlyArray<KvItem>
  /** There are more keys than these. */
  readonly more: boolean
}

export interface LoadOptions extends CallOptions {
  /** Puts under way. Default: the client's `maxInFlight`. */
  readonly maxInFlight?: number
}

/**
 * A client of the store. Its promises reject with a `ClientError`, whose `reason` tells "not done" from "unknown". In a session, which is
 * the default, an operation that was tried several times was applied once.
 */
export interface Client {
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
  /** Changes of the keys with `prefix`, without gap or duplicate, through changes of server. Fails with a `WatchError`; throws `InvalidOption`. */
  watch(prefix: string, options?: { readonly fromRevision?: number }): IterableObservable<KvChanges>
  /** Puts everything, many at a time, each once; tells how far it is, and fails with a `ClientError` at the first that cannot be put. */
  load(entries: Iterable<KvEntry> | AsyncIterable<KvEntry>, options?: LoadOptions): IterableObservable<LoadProgress>
  /** The endpoint that is taken for the leader's; replays. */
  readonly endpoint$: IterableObservable<string>
  /** Ends every operation: what was never sent is `Closed`, the rest `Indeterminate`. Watches complete. */
  close(): void
}

export interface KvEntry {
  readonly key: string
  readonly value: string | Uint8Array
}

/**
 * A client. Throws `InvalidOption` where an option cannot work. Nothing is sent before the first operation.
 *
 * @example
 * const client = createClient({ transport: httpTransport(), endpoints: ['http://127.0.0.1:7401', 'http://127.0.0.1:7402'] })
 * await client.put('greeting', 'hello')
 * const item = await client.get('greeting') // { key: 'greeting', value: Uint8Array, modRevision: 2, version: 1, … }
 */
export const createClient = (clientOptions: ClientOptions): Client => {
  const options = tunedClient(clientOptions)
  const operations = calls(options)
  const closed$ = new AsyncSubject<true>()

  const begin = (command: commands.Command, { timeoutMs = options.timeoutMs }: CallOptions = {}): Observable<Outcome> =>
    either.isLeft(command) ? of(command.left) : operations.execute(command.right, timeoutMs)

  const answer = <Tag extends KvAnswer['_tag']>(outcome$: Observable<Outcome>, ...tags: ReadonlyArray<Tag>): Observable<Answer<Tag>> =>
    outcome$.pipe(
      map((outcome) => {
        if (outcome._tag !== 'Done') throw new ClientError(outcome)
        if (isOneOf(outcome.answer, tags)) return outcome.answer
        throw new Error(`A ${tags.join(' or ')} was asked for and a ${outcome.answer._tag} came: do all servers run the same version?`)
      }),
    )
  const ask = <Tag extends KvAnswer['_tag']>(command: commands.Command, given: CallOptions | undefined, ...tags: ReadonlyArray<Tag>) =>
    lastValueFrom(answer(begin(command, given), ...tags))

  const inRange = <T>(prefix: string, use: (range: KeyRange) => Observable<T>): Observable<T> => {
    const key = commands.keyIn(prefix)
    return either.isLeft(key) ? throwError(() => new ClientError(key.left)) : use(withPrefix(key.right))
  }
  const page = (range: KeyRange, query: CallOptions & { readonly revision?: number; readonly limit?: number } = {}) =>
    answer(begin(either.right(commands.range(range, query)), query), 'Ranged')

  /** The pages from the first on, all as of its revision. */
  const pages = (range: KeyRange, given: CallOptions | undefined): Observable<Answer<'Ranged'>> =>
    page(range, given).pipe(
      mergeMap((first) => {
        const after = ({ kvs }: Answer<'Ranged'>): KeyRange => ({ ...range, start: asKey(`${kvs.at(-1)!.key}\0`) })
        return of(first).pipe(expand((last) => (last.more ? page(after(last), { ...given, revision: first.revision }) : EMPTY)))
      }),
    )

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
        inRange(prefix, (range) => page(range, given)).pipe(map(({ revision, kvs, more }) => ({ revision, items: kvs.map(itemOf), more }))),
      ),
    scan: (prefix, given) =>
      new IterableObservable(defer(() => inRange(prefix, (range) => pages(range, given))).pipe(mergeMap(({ kvs }) => kvs.map(itemOf)))),
    execute: (command, given) => begin(either.right(command), given),
    watch: (prefix, { fromRevision } = {}) => {
      if (fromRevision !== undefined && !Revision.is(fromRevision))
        throw new InvalidOption('fromRevision', `must be a whole number, not ${fromRevision}`)
      // The present is what a linearizable read says it is: the server that will be watched may not have come so far.
      const watched = (range: KeyRange): Observable<KvChanges> =>
        (fromRevision === undefined ? page(range, { limit: 0 }).pipe(map((present) => present.revision + 1)) : of(fromRevision)).pipe(
          switchMap((first) => resuming(options, range.start, revision(first))),
          map(changesOf),
        )
      return new IterableObservable(defer(() => inRange(prefix, watched)).pipe(takeUntil(closed$)))
    },
    load: (entries, { timeoutMs, maxInFlight = options.maxInFlight } = {}) =>
      new IterableObservable(
        load<KvEntry>({
          entries,
          maxInFlight,
          put: ({ key, value }) => begin(commands.put(key, value), timeoutMs === undefined ? {} : { timeoutMs }),
          retries: () => operations.retries(),
          scheduler: options.scheduler,
        }),
      ),
    endpoint$: new IterableObservable(operations.target$),
    close: () => {
      operations.close()
      closed$.next(true)
      closed$.complete()
    },
  }
}

type Answer<Tag extends KvAnswer['_tag']> = Extract<KvAnswer, { readonly _tag: Tag }>

const isOneOf = <Tag extends KvAnswer['_tag']>(answer: KvAnswer, tags: ReadonlyArray<Tag>): answer is Answer<Tag> =>
  (tags as ReadonlyArray<string>).includes(answer._tag)

const revisionOf = ({ revision }: KvWritten): KvWritten => ({ revision })
