import { type CheckOf, Moved } from './checker.js'

/**
 * I10: lastApplied ≤ handedOver ≤ commitIndex ≤ lastIndex: what is applied was handed over, and what was handed over is committed; and
 * a snapshot covers only what was handed over, unless it is a leader's, which takes the place of the whole log (§7).
 */
export const inOrder: CheckOf = () => ({
  name: 'snapshot and lastApplied ≤ handedOver ≤ commitIndex ≤ lastIndex',
  moved: Moved.started | Moved.log | Moved.commitIndex | Moved.applied,
  see: ({ before, after: { id, log, lastApplied, handedOver, commitIndex } }) => {
    const { base, lastIndex } = log
    const inOrder = lastApplied <= handedOver && handedOver <= commitIndex && commitIndex <= lastIndex && base.index <= commitIndex
    const ownSnapshot = base === before.log.base || base.index === lastIndex || base.index <= handedOver
    return inOrder && ownSnapshot ? null : `${id}: ${[base.index, lastApplied, handedOver, commitIndex, lastIndex].join(' ')}`
  },
})
