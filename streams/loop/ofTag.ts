import { filter, type OperatorFunction } from 'rxjs'

/**
 * The values with one of these tags.
 *
 *   effects  --a--s--m--a--     a: ArmElectionTimer, s: Send, m: ArmHeartbeat
 *   ofTag    --a--------a--     'ArmElectionTimer'
 *
 * @example
 * const won$ = server.inspect$.pipe(mergeMap(({ effects }) => effects), ofTag('ArmHeartbeat'))
 */
export const ofTag = <T extends { readonly _tag: string }, Tag extends T['_tag']>(
  ...tags: ReadonlyArray<Tag>
): OperatorFunction<T, Extract<T, { readonly _tag: Tag }>> =>
  filter((value): value is Extract<T, { readonly _tag: Tag }> => tags.includes(value._tag as Tag))
