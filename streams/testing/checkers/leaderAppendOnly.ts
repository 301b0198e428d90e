import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * I2, Leader Append-Only: "a leader never overwrites or deletes entries in its log; it only appends new entries"
 * (§5.3).
 *
 * @example
 * server.inspect$.pipe(checking(leaderAppendOnly)).subscribe(({ message }) => alarm(message))
 * // n1 leads in term 2 and gave up its entry 5/2
 */
export const leaderAppendOnly: CheckOf = () => ({
  name: 'Leader Append-Only: a leader never overwrites or deletes entries in its log (§5.3)',
  moved: Moved.log,
  see: ({ before, after }) => {
    if (before.role._tag !== 'Leader' || after.role._tag !== 'Leader') return null
    const { lastIndex, lastTerm } = before.log
    const kept = after.log.lastIndex >= lastIndex && after.log.termAt(lastIndex) === lastTerm
    return kept || after.log.base.index > lastIndex
      ? null
      : `${after.id} leads in term ${after.currentTerm} and gave up its entry ${lastIndex}/${lastTerm}`
  },
})
