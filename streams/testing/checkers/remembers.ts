import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * I9: term and vote are monotonic, across restarts as far as the disk acknowledged them, and so is the log;
 * commitIndex, `applyingIndex` and `lastApplied` are within one life.
 *
 * @example
 * server.inspect$.pipe(checking(remembers)).subscribe(({ message }) => alarm(message))
 * // n1 voted for n2 and then for n3 in term 4
 */
export const remembers: CheckOf = (record) => ({
  name: 'a server forgets no term, no vote and no entry that its disk acknowledged (§5.1, §5.2)',
  moved: Moved.started | Moved.hardState | Moved.commitIndex | Moved.applied,
  see: ({ event, before, after }) => {
    const { id } = after
    const { former } = record.server
    if (event._tag === 'Started' && former !== null) {
      const { term, vote } = record.beforeRestart
      if (term !== null && before.currentTerm < term)
        return `${id} restarts in term ${before.currentTerm}; its disk had acknowledged term ${term}`
      if (before.currentTerm === term && vote !== null && before.votedFor !== vote)
        return `${id} restarts with vote ${before.votedFor ?? '-'} in term ${term}; its disk had acknowledged a vote for ${vote}`
      const { index } = former.writeProgress
      if (index > before.log.base.index && before.log.termAt(index) !== former.log.termAt(index) && index > former.log.base.index)
        return `${id} restarts without entry ${index}/${former.log.termAt(index) ?? '-'}, which its disk had acknowledged`
    }
    if (after.currentTerm < before.currentTerm) return `${id} went from term ${before.currentTerm} to ${after.currentTerm}`
    if (after.currentTerm === before.currentTerm && before.votedFor !== null && after.votedFor !== before.votedFor)
      return `${id} voted for ${before.votedFor} and then for ${after.votedFor ?? 'no server'} in term ${after.currentTerm}`
    if (after.commitIndex < before.commitIndex) return `${id} took its commitIndex back from ${before.commitIndex} to ${after.commitIndex}`
    if (after.applyingIndex < before.applyingIndex || after.lastApplied < before.lastApplied) return `${id} took back what it had applied`
    return null
  },
})
