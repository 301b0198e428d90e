import type { Write } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import { after, before, type LogIndex, logIndex, maxIndex } from '../../../src/raft/ids.js'
import { printWrite } from '../../../src/raft/print.js'
import { logAfter } from '../../../src/raft/state/log.js'
import type { Recovered } from '../../../src/raft/state/server.js'

/* What writes make of what is stored. */

/** Where the log ends after `write`. Throws where that does not continue a log which ends at `lastIndex`. */
export const lastIndexAfter = (lastIndex: LogIndex, write: Write): LogIndex => {
  const { snapshot, truncateFrom, firstIndex, entries } = write
  const end = snapshot === null || snapshot.keepsSuffix ? lastIndex : snapshot.base.index
  const kept = truncateFrom === null || truncateFrom > end ? end : before(truncateFrom)
  if (entries.length > 0 && firstIndex !== kept + 1)
    throw new InvariantViolation('what is written continues the log that is stored', printWrite(write), firstIndex)
  return after(kept, entries.length)
}

/** What is stored after `write`. */
export const afterWrite = (stored: Recovered, write: Write): Recovered => {
  const { currentTerm, votedFor, commitIndex } = stored
  const { snapshot, hardState, truncateFrom, entries } = write
  const log = snapshot === null ? stored.log : logAfter(stored.log, snapshot)
  const kept = truncateFrom === null ? log : log.truncateFrom(truncateFrom)
  return {
    ...(stored.incarnation !== undefined && { incarnation: stored.incarnation }),
    currentTerm: hardState === null ? currentTerm : hardState.currentTerm,
    votedFor: hardState === null ? votedFor : hardState.votedFor,
    log: kept.append(entries),
    commitIndex: maxIndex(commitIndex, write.commitIndex),
    snapshot: snapshot === null ? stored.snapshot : { ref: snapshot.ref, size: snapshot.size },
  }
}

/** The same writes, fewer: those that only append to what the one before them appended are one with it. */
export const inOneAppend = (writes: ReadonlyArray<Write>): ReadonlyArray<Write> => {
  const joined: Write[] = []
  for (let first = 0; first < writes.length;) {
    let end = first + 1
    while (end < writes.length && onlyAppends(writes[end]!)) end++
    const run = writes.slice(first, end)
    const commitIndex = run.reduce((max, write) => maxIndex(max, write.commitIndex), logIndex(0))
    joined.push({ ...run[0]!, entries: run.flatMap(({ entries }) => entries), commitIndex })
    first = end
  }
  return joined
}

const onlyAppends = ({ snapshot, hardState, truncateFrom }: Write): boolean =>
  snapshot === null && hardState === null && truncateFrom === null

/** A write as writes of one record each. Every prefix of them is a legal state. */
export const recordsOf = ({ snapshot, hardState, truncateFrom, firstIndex, entries }: Write): ReadonlyArray<Write> => {
  const nothing: Write = { snapshot: null, hardState: null, truncateFrom: null, firstIndex, entries: [], commitIndex: logIndex(0) }
  return [
    ...(snapshot === null ? [] : [{ ...nothing, snapshot }]),
    ...(hardState === null ? [] : [{ ...nothing, hardState }]),
    ...(truncateFrom === null ? [] : [{ ...nothing, truncateFrom }]),
    ...entries.map((entry, i) => ({ ...nothing, firstIndex: after(firstIndex, i), entries: [entry] })),
  ]
}
