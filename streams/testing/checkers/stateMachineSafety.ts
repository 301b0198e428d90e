import { after as next, logIndex } from '../../../src/raft/ids.js'
import type { NodeId } from '../../../src/raft/ids.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'
import { isSame } from './logMatching.js'

/**
 * I5, State Machine Safety: "if a server has applied a log entry at a given index to its state machine, no other server
 * will ever apply a different log entry for the same index" (§5.4.3); and what is applied is committed, in the order of
 * the log, each once per run.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(stateMachineSafety)).subscribe(({ message }) => alarm(message))
 * // n2 applies an entry of term 3 at 5, where one of term 2 is committed
 */
export const stateMachineSafety: CheckOf = (record) => {
  /** The index that each server's state machine was given last. */
  const given = new Map<NodeId, number>()
  return {
    name: 'State Machine Safety: no two servers apply different entries at the same index; each applies committed ones in order, once per run (§5.4.3)',
    moved: Moved.applied | Moved.started,
    see: ({ event, before, after, effects }) => {
      const { id, log } = after
      if (event._tag === 'Started' || !given.has(id)) given.set(id, before.applyingIndex)
      for (const effect of effects) {
        if (effect._tag !== 'Apply' && effect._tag !== 'Restore') continue
        let last = given.get(id)!
        if (effect._tag === 'Restore') {
          const { index, term } = effect.base
          if (index <= last) return `${id} goes back from ${last} to the snapshot of ${index}`
          if (index > record.committed.last) return `${id} restores a snapshot of ${index}, which is not known to be committed`
          const known = record.committed.at(index)
          if (known !== undefined && known.term !== term)
            return `${id} restores a snapshot of ${index}/${term}, where one of term ${known.term} is committed`
          given.set(id, index)
          continue
        }
        for (let i = 0; i < effect.entries.length; i++) {
          const index = next(effect.firstIndex, i)
          const entry = effect.entries[i]!
          if (index <= last) return `${id} applies ${index} after ${last}`
          for (let skipped = last + 1; skipped < index; skipped++) {
            if ((log.at(logIndex(skipped)) ?? record.committed.at(skipped)?.entry)?.kind === 'command')
              return `${id} applies ${index} and left out ${skipped}`
          }
          const known = record.committed.at(index)
          if (known === undefined && index > record.committed.last) return `${id} applies ${index}, which is not known to be committed`
          if (known?.entry !== undefined && !isSame(known.entry, entry))
            return `${id} applies an entry of term ${entry.term} at ${index}, where one of term ${known.term} is committed`
          last = index
        }
        given.set(id, last)
      }
      return null
    },
  }
}
