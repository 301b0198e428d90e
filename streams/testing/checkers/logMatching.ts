import type { Entry } from '../../../src/raft/state/entry.js'
import { before as previous, logIndex, type Term } from '../../../src/raft/ids.js'
import { commonPrefix, type Log } from '../../../src/raft/state/log.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'
import { Window } from './window.js'

/** An entry as it was first seen at an index and in a term, and the term of the one before it. */
interface Known {
  readonly term: Term
  readonly entry: Entry
  readonly previousTerm: Term | null
  /** Another one, of another term, at the same index. */
  readonly other: Known | undefined
}

/** Whether two entries are the same. The bytes are looked at where they are not the same object. */
export const isSame = (a: Entry, b: Entry): boolean =>
  a === b || (a.term === b.term && a.kind === b.kind && a.size === b.size && sameBytes(a.command, b.command))

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a === b) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}

/**
 * I3, Log Matching: "if two logs contain an entry with the same index and term, then the logs are identical in all
 * entries up through the given index" (§5.3). By induction: index and term determine an entry and the term of the one
 * before it. So each entry is looked at once, when a log takes it, whatever the number and the length of the logs.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(logMatching)).subscribe(({ message }) => alarm(message))
 * // n2: two entries at 4/2 differ
 */
export const logMatching: CheckOf = () => {
  const known = new Window<Known>()

  const look = (log: Log, from: number): string | null => {
    for (let i = from; i <= log.lastIndex; i++) {
      const index = logIndex(i)
      const entry = log.at(index)!
      const previousTerm = log.termAt(previous(index))
      const first = known.at(i)
      let same = first
      while (same !== undefined && same.term !== entry.term) same = same.other
      if (same === undefined) known.set(i, { term: entry.term, entry, previousTerm, other: first })
      else if (!isSame(same.entry, entry)) return `two entries at ${i}/${entry.term} differ`
      else if (same.previousTerm !== previousTerm && same.previousTerm !== null && previousTerm !== null)
        return `the entry at ${i}/${entry.term} comes after term ${previousTerm}, and elsewhere after term ${same.previousTerm}`
    }
    return null
  }

  return {
    name: 'Log Matching: if two logs contain an entry with the same index and term, then the logs are identical in all entries up through the given index (§5.3)',
    moved: Moved.log | Moved.started,
    see: ({ event, before, after }) => {
      const from = event._tag === 'Started' ? before.log.base.index : commonPrefix(before.log, after.log)
      const wrong = look(after.log, Math.max(from + 1, after.log.base.index + 1, known.lowest))
      return wrong === null ? null : `${after.id}: ${wrong}`
    },
  }
}
