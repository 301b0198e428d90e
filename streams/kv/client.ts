import type { Observable, ObservableInput, SchedulerLike } from 'rxjs'
import type { KvCommand } from '../../src/kv/command.js'
import type { Revision } from '../../src/kv/ids.js'
import type { KvAnswer, KvRefusal } from '../../src/kv/result.js'
import type { IterableObservable } from '../iterable.js'
import type { Transport } from './transport.js'

export interface ClientOptions {
  readonly transport: Transport
  /** Where servers may be found: at least one, in the words of the transport. */
  readonly endpoints: ReadonlyArray<string>
  /** How long an operation may take in all. Default 10,000. */
  readonly timeoutMs?: number
  /** How long one server may take before another is asked. Default 2,000. */
  readonly attemptTimeoutMs?: number
  /** Before another try: drawn between half and all of a bound that doubles from `min` to `max`. Default 20 to 1,000. */
  readonly backoffMs?: { readonly min: number; readonly max: number }
  /** Operations under way; more wait. Default 1,024, which is also the most that a session allows. */
  readonly maxInFlight?: number
  /** Operations that wait; one more is `Overloaded`. Default 65,536. */
  readonly maxQueued?: number
  /** Operations, and about as many bytes, that travel together. Defaults 256 and 1 MiB. */
  readonly maxBatch?: number
  readonly maxBatchBytes?: number
  /** Batches under way. Default 4. */
  readonly maxBatchesInFlight?: number
  /** Open a session, in which a retry is applied once. Default true. Without it whatever may have arrived is `Indeterminate`. */
  readonly session?: boolean
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
}

/** Why an operation was not answered. */
export type ClientFailure =
  /** Not done: the store refused. */
  | { readonly _tag: 'Refused'; readonly refusal: KvRefusal; readonly message: string }
  /** Not done: in all the time given, no server took it. */
  | { readonly _tag: 'Unavailable'; readonly message: string }
  /** Not done: too many operations wait in this client. */
  | { readonly _tag: 'Overloaded'; readonly message: string }
  /** Not done: the client was closed. */
  | { readonly _tag: 'Closed'; readonly message: string }
  /** Unknown: it may have been done, or may yet be. */
  | { readonly _tag: 'Indeterminate'; readonly message: string }

/** How an operation ended. */
export type Outcome<A = KvAnswer> = { readonly _tag: 'Done'; readonly answer: A } | ClientFailure

/** What the promises of a client reject with: `reason` says whether nothing was done or whether that is unknown. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  constructor(readonly reason: ClientFailure) {
    super(reason.message)
  }
}

/** One version of one key, as users see it. */
export interface KvItem {
  readonly key: string
  readonly value: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
}

/** What one revision did to the keys that are watched. */
export interface KvChanges {
  readonly revision: number
  readonly events: ReadonlyArray<{ readonly _tag: 'Put'; readonly item: KvItem } | { readonly _tag: 'Delete'; readonly key: string }>
}

export interface Page {
  readonly revision: number
  readonly items: ReadonlyArray<KvItem>
  /** There are more keys than these. */
  readonly more: boolean
}

export interface CallOptions {
  readonly timeoutMs?: number
}

export interface LoadOptions extends CallOptions {
  /** Puts under way. Default 1,024. */
  readonly maxInFlight?: number
}

/** How far a load has come. */
export interface LoadProgress {
  readonly done: number
  /** Lost its answer, tried again, and applied once. */
  readonly retries: number
}

/** A client of the store. */
export interface Client {
  put(key: string, value: string | Uint8Array, options?: CallOptions): Promise<{ readonly revision: number }>
  append(key: string, value: string | Uint8Array, options?: CallOptions): Promise<{ readonly revision: number }>
  delete(key: string, options?: CallOptions): Promise<{ readonly revision: number; readonly deleted: number }>
  /** Puts if the key's mod revision is `revision`, 0 meaning that there is no such key. */
  compareAndSet(
    key: string,
    value: string | Uint8Array,
    options: CallOptions & { readonly revision: number },
  ): Promise<{ readonly _tag: 'Written'; readonly revision: number } | { readonly _tag: 'Conflict'; readonly item: KvItem | null }>
  get(key: string, options?: CallOptions & { readonly revision?: number }): Promise<KvItem | null>
  range(prefix: string, options?: CallOptions & { readonly revision?: number; readonly limit?: number }): Promise<Page>
  /** Any command, now and once; tells its outcome and replays it. Works in virtual time, where promises do not. */
  execute(command: KvCommand, options?: CallOptions): Observable<Outcome>
  /** Changes of the keys with `prefix`, without gap or duplicate, through changes of server. Fails with a `Compacted`. */
  watch(prefix: string, options?: { readonly fromRevision?: number }): IterableObservable<KvChanges>
  /** Puts everything, many at a time, each once; emits how far it is, and fails with a `ClientError` at the first that cannot be put. */
  load(
    entries: ObservableInput<{ readonly key: string; readonly value: string | Uint8Array }>,
    options?: LoadOptions,
  ): IterableObservable<LoadProgress>
  /** The endpoint that is taken for the leader's; replays. */
  readonly endpoint$: IterableObservable<string>
  /** Ends every operation: what was never sent is `Closed`, the rest `Indeterminate`. */
  close(): void
}

export const createClient = (_options: ClientOptions): Client => {
  throw new Error('The body follows.')
}

/** A revision for the API of the store. @internal */
export type KvRevision = Revision
