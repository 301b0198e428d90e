import { defer, EMPTY, expand, lastValueFrom, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import { either } from 'fp-ts'
import { key as asKey, type KeyRange, withPrefix } from '../../../src/kv/key.js'
import type { KvAnswer } from '../../../src/kv/result.js'
import { whole } from '../../options/checks.js'
import * as commands from './commands.js'
import type { Operations } from './operations.js'
import { ClientError, type Outcome } from './outcome.js'

/**
 * The options of one call.
 *
 * @example
 * await client.get('greeting', { timeoutMs: 500 })
 */
export interface CallOptions {
  /** Default: the client's. */
  readonly timeoutMs?: number
}

/** The options of a call that reads a range. */
export interface RangeOptions extends CallOptions {
  readonly revision?: number
  readonly limit?: number
}

export type Answer<Tag extends KvAnswer['_tag']> = Extract<KvAnswer, { readonly _tag: Tag }>

/** How long a call may take. Throws `InvalidOption`. */
export const timeoutOf = ({ timeoutMs }: CallOptions, defaultMs: number): number => {
  if (timeoutMs === undefined) return defaultMs
  whole()('timeoutMs', timeoutMs)
  return timeoutMs
}

/** Asks the store, and expects an answer of a certain kind. Everything else is a `ClientError`. */
export const asking = (operations: Operations, defaultMs: number) => {
  const begin = (command: commands.Command, timeoutMs: number): Observable<Outcome> =>
    either.isLeft(command) ? of(command.left) : operations.execute(command.right, timeoutMs)

  const page = (range: KeyRange, query: RangeOptions = {}): Observable<Answer<'Ranged'>> =>
    begin(either.right(commands.range(range, query)), timeoutOf(query, defaultMs)).pipe(map(expecting('Ranged')))

  return {
    begin,
    /** Rejects with `InvalidOption` where an option cannot work. */
    ask: <Tag extends KvAnswer['_tag']>(
      command: commands.Command,
      given: CallOptions | undefined,
      ...tags: ReadonlyArray<Tag>
    ): Promise<Answer<Tag>> => lastValueFrom(defer(() => begin(command, timeoutOf(given ?? {}, defaultMs))).pipe(map(expecting(...tags)))),
    page,
    /** The pages from the first on, all as of its revision. */
    pages: (range: KeyRange, given: CallOptions): Observable<Answer<'Ranged'>> =>
      page(range, given).pipe(
        mergeMap((first) => {
          const after = ({ kvs }: Answer<'Ranged'>): KeyRange => ({ ...range, start: asKey(`${kvs.at(-1)!.key}\0`) })
          return of(first).pipe(expand((last) => (last.more ? page(after(last), { ...given, revision: first.revision }) : EMPTY)))
        }),
      ),
  }
}

/** The keys with a prefix; a prefix that is no text fails with a `ClientError`. */
export const inRange = <T>(prefix: string, use: (range: KeyRange) => Observable<T>): Observable<T> => {
  const key = commands.keyIn(prefix)
  return either.isLeft(key) ? throwError(() => new ClientError(key.left)) : use(withPrefix(key.right))
}

const expecting =
  <Tag extends KvAnswer['_tag']>(...tags: ReadonlyArray<Tag>) =>
  (outcome: Outcome): Answer<Tag> => {
    if (outcome._tag !== 'Done') throw new ClientError(outcome)
    if (isOneOf(outcome.answer, tags)) return outcome.answer
    throw new Error(`A ${tags.join(' or ')} was asked for and a ${outcome.answer._tag} came: do all servers run the same version?`)
  }

const isOneOf = <Tag extends KvAnswer['_tag']>(answer: KvAnswer, tags: ReadonlyArray<Tag>): answer is Answer<Tag> =>
  (tags as ReadonlyArray<string>).includes(answer._tag)
