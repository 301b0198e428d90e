import { filter, type OperatorFunction } from 'rxjs'
import { HotByTag } from '../rx/hotInternals.js'

/**
 * The values with one of these tags: how a sink takes from `effect$` what concerns it. Of the effects of a running
 * server it is free, since they are sorted by tag where they are emitted; of any other stream it is a `filter`.
 *
 *   effects  --a--s--m--a--     a: ArmElectionTimer, s: Send, m: ArmHeartbeat
 *   ofTag    --a--------a--     'ArmElectionTimer'
 *
 * @example
 * const won$ = server.inspect$.pipe(mergeMap(({ effects }) => effects), ofTag('ArmHeartbeat'))
 */
export const ofTag =
  <T extends { readonly _tag: string }, Tag extends T['_tag']>(
    ...tags: ReadonlyArray<Tag>
  ): OperatorFunction<T, Extract<T, { readonly _tag: Tag }>> =>
  (source$) => {
    type Tagged = Extract<T, { readonly _tag: Tag }>
    if (source$ instanceof HotByTag) return (source$ as HotByTag<Tagged>).ofTag(tags)
    return source$.pipe(filter((value): value is Tagged => tags.includes(value._tag as Tag)))
  }
