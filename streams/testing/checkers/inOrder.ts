import { type CheckOf, Moved } from './checker.js'

/** I10: base ≤ lastApplied ≤ handedOver ≤ commitIndex ≤ lastIndex: what a snapshot covers was handed over, and what was handed over is committed. */
export const inOrder: CheckOf = () => ({
  name: 'base ≤ lastApplied ≤ handedOver ≤ commitIndex ≤ lastIndex',
  moved: Moved.started | Moved.log | Moved.commitIndex | Moved.applied,
  see: ({ after: { id, log, lastApplied, handedOver, commitIndex } }) => {
    const holds = log.base.index <= lastApplied && lastApplied <= handedOver && handedOver <= commitIndex && commitIndex <= log.lastIndex
    return holds ? null : `${id}: ${[log.base.index, lastApplied, handedOver, commitIndex, log.lastIndex].join(' ')}`
  },
})
