import type { NodeId, Term } from '../../../src/raft/ids.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

const keptTerms = 65_536

/**
 * I1, Election Safety: "at most one leader can be elected in a given term" (§5.2).
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(electionSafety)).subscribe(({ message }) => alarm(message))
 * // n2 leads in term 3, and so did n1
 */
export const electionSafety: CheckOf = () => {
  const leaders = new Map<Term, NodeId>()
  return {
    name: 'Election Safety: at most one leader can be elected in a given term (§5.2)',
    moved: Moved.role | Moved.started,
    see: ({ after: { id, role, currentTerm } }) => {
      if (role._tag !== 'Leader') return null
      const other = leaders.get(currentTerm)
      if (other !== undefined && other !== id) return `${id} leads in term ${currentTerm}, and so did ${other}`
      if (other === undefined) {
        leaders.set(currentTerm, id)
        // The oldest is the first: a map keeps the order of its keys.
        if (leaders.size > keptTerms) leaders.delete(leaders.keys().next().value!)
      }
      return null
    },
  }
}
