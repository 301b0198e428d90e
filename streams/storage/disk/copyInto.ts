import { concat, defer, EMPTY, expand, from, ignoreElements, mergeMap, type Observable, of } from 'rxjs'
import type { Configuration } from '../../../src/raft/state/configuration.js'
import type { Persist, StoreSnapshot, Write } from '../../../src/raft/effect.js'
import { type Entry, noopEntry } from '../../../src/raft/state/entry.js'
import { after, before, type LogIndex, maxTermLead, minIndex, type Term, term, writeSeq } from '../../../src/raft/ids.js'
import type { Log, LogBase, ReadLimit } from '../../../src/raft/state/log.js'
import type { StoredSnapshot } from '../../../src/raft/state/snapshots.js'
import type { OpenStorage, SnapshotStorage } from '../storage.js'

/** What is in memory of a snapshot at a time … */
const pieceBytes = 1 << 20
/** … and what of the log is one write. One entry may be larger. */
const batchLimit: ReadLimit = { maxEntries: 4_096, maxBytes: 1 << 20 }

/**
 * The last term that is taken over as it is; a stranger made those above, and they become this one. They stay in order,
 * which is all that a log needs of which there is no second copy. The other servers of the new cluster begin in term 0
 * and follow no server that is more than `maxTermLead` ahead of them at once.
 */
const maxTermKept = maxTermLead / 2
const kept = (t: Term): Term => term(Math.min(t, maxTermKept))

/**
 * Writes into `target`, which holds nothing yet, what `source` holds, as the beginning of another cluster, whose
 * members are `configuration`: snapshot and log, in the term of the last entry and without a vote. Entries that name
 * the members of the old cluster become no-ops, at the same index and of the same term. A server writes the same when a
 * leader sends it everything.
 */
export const copyInto = (target: OpenStorage, source: OpenStorage, configuration: Configuration): Observable<never> => {
  const { log, snapshot, commitIndex } = source.recovered
  const base: LogBase = { index: log.base.index, term: kept(log.base.term), configuration }
  const beginning = persist({
    snapshot: snapshot === null ? null : { ...snapshot, base, keepsSuffix: false },
    hardState: { currentTerm: kept(log.lastTerm), votedFor: null },
    firstIndex: after(base.index),
    commitIndex: base.index,
  })
  return concat(
    snapshot === null ? EMPTY : copySnapshot(target.snapshots, source.snapshots, snapshot, base),
    defer(() => target.write([beginning])),
    copyLog(target, log, commitIndex),
  ).pipe(ignoreElements())
}

const copySnapshot = (
  target: SnapshotStorage,
  source: SnapshotStorage,
  { ref, size }: StoredSnapshot,
  base: LogBase,
): Observable<unknown> =>
  of(0).pipe(
    expand((offset) =>
      from(source.read(ref, offset, pieceBytes)).pipe(
        mergeMap((data) => {
          const end = offset + data.length
          const piece: StoreSnapshot = { _tag: 'StoreSnapshot', from: null, ref, base, offset, data, last: end === size }
          return concat(from(target.store(piece)).pipe(ignoreElements()), piece.last ? EMPTY : of(end))
        }),
      ),
    ),
  )

const copyLog = (target: OpenStorage, log: Log, commitIndex: LogIndex): Observable<unknown> =>
  of(after(log.base.index)).pipe(
    expand((firstIndex) => {
      const entries = log.from(firstIndex, batchLimit)
      if (entries.length === 0) return EMPTY
      const next = after(firstIndex, entries.length)
      const write = persist({ firstIndex, entries: entries.map(ofAnotherCluster), commitIndex: minIndex(commitIndex, before(next)) })
      return concat(from(target.write([write])).pipe(ignoreElements()), of(next))
    }),
  )

const ofAnotherCluster = (entry: Entry): Entry =>
  entry.kind === 'configuration' ? noopEntry(kept(entry.term)) : { ...entry, term: kept(entry.term) }

const persist = (write: Partial<Write> & Pick<Write, 'firstIndex' | 'commitIndex'>): Persist => ({
  _tag: 'Persist',
  seq: writeSeq(0),
  write: { snapshot: null, hardState: null, truncateFrom: null, entries: [], ...write },
})
