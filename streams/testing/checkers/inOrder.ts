import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * I10: lastApplied ≤ applyingIndex ≤ commitIndex ≤ lastIndex: what is applied was handed over, and what was handed over
 * is committed; and a snapshot covers only what was handed over, unless it is a leader's, which takes the place of the
 * whole log (§7).
 *
 * @example
 * server.inspect$.pipe(checking(inOrder)).subscribe(({ message }) => alarm(message))
 * // n1: 0 4 5 3 6, where commitIndex 3 is below applyingIndex 5
 */
export const inOrder: CheckOf = () => ({
  name: 'snapshot and lastApplied ≤ applyingIndex ≤ commitIndex ≤ lastIndex',
  moved: Moved.started | Moved.log | Moved.commitIndex | Moved.applied,
  see: ({ before, after: { id, log, lastApplied, applyingIndex, commitIndex } }) => {
    const { base, lastIndex } = log
    const inOrder = lastApplied <= applyingIndex && applyingIndex <= commitIndex && commitIndex <= lastIndex && base.index <= commitIndex
    const ownSnapshot = base === before.log.base || base.index === lastIndex || base.index <= applyingIndex
    return inOrder && ownSnapshot ? null : `${id}: ${[base.index, lastApplied, applyingIndex, commitIndex, lastIndex].join(' ')}`
  },
})
