import type { HardState, Persist, SnapshotPointer } from '../../src/raft/effect.js'
import type { Entry } from '../../src/raft/state/entry.js'
import { InvariantViolation } from '../../src/raft/error.js'
import { after, type LogIndex, type WriteSeq } from '../../src/raft/ids.js'
import { logAfter } from '../../src/raft/state/log.js'
import type { Message } from '../../src/raft/messages.js'
import type { Recovered, Server } from '../../src/raft/state/server.js'

/* The disk of a cluster by hand (cluster.ts): a value, and what each record of a write makes of it. */

/**
 * One record of a write, as a disk takes them: any number of the first ones may survive a crash.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * cluster.happens(nodeId('n1'), { _tag: 'ElectionTimedOut', generation: 1 })
 * const unsynced: ReadonlyArray<DiskRecord> = cluster.at(nodeId('n1')).unsynced // HardState (term 1, vote n1), CommitIndex
 * cluster.crash(nodeId('n1'), 1) // the first of them survives
 */
export type DiskRecord =
  | { readonly _tag: 'Snapshot'; readonly seq: WriteSeq; readonly snapshot: SnapshotPointer }
  | { readonly _tag: 'HardState'; readonly seq: WriteSeq; readonly hardState: HardState }
  | { readonly _tag: 'Truncate'; readonly seq: WriteSeq; readonly from: LogIndex }
  | { readonly _tag: 'Entry'; readonly seq: WriteSeq; readonly index: LogIndex; readonly entry: Entry }
  | { readonly _tag: 'CommitIndex'; readonly seq: WriteSeq; readonly commitIndex: LogIndex }

/**
 * A write as records, in the one order of which every prefix is a legal state. The hint comes last: it must not speak
 * of entries that are not there yet.
 */
export const recordsOf = ({
  seq,
  write: { snapshot, hardState, truncateFrom, firstIndex, entries, commitIndex },
}: Persist): ReadonlyArray<DiskRecord> => [
  ...(snapshot === null ? [] : [{ _tag: 'Snapshot', seq, snapshot } as const]),
  ...(hardState === null ? [] : [{ _tag: 'HardState', seq, hardState } as const]),
  ...(truncateFrom === null ? [] : [{ _tag: 'Truncate', seq, from: truncateFrom } as const]),
  ...entries.map((entry, i) => ({ _tag: 'Entry', seq, index: after(firstIndex, i), entry }) as const),
  { _tag: 'CommitIndex', seq, commitIndex },
]

/** The disk after one more record. */
export const written = (disk: Recovered, record: DiskRecord): Recovered => {
  switch (record._tag) {
    case 'Snapshot': {
      const { ref, size } = record.snapshot
      return { ...disk, log: logAfter(disk.log, record.snapshot), snapshot: { ref, size } }
    }
    case 'HardState':
      return { ...disk, ...record.hardState }
    case 'Truncate':
      return { ...disk, log: disk.log.truncateFrom(record.from) }
    case 'Entry':
      if (record.index !== disk.log.lastIndex + 1) {
        throw new InvariantViolation(
          'what is written continues the log on disk',
          `entry ${record.index} after ${disk.log.lastIndex}`,
          record.index,
        )
      }
      return { ...disk, log: disk.log.append([record.entry]) }
    case 'CommitIndex':
      return { ...disk, commitIndex: record.commitIndex }
  }
}

/** The same entry on disk as in memory; of what one of them has in a snapshot, that it is there at all. */
const isHeld = (index: LogIndex, { log: onDisk }: Recovered, { log }: Server): boolean =>
  index <= onDisk.lastIndex && (index < onDisk.base.index || index < log.base.index || onDisk.termAt(index) === log.termAt(index))

/**
 * "updated on stable storage before responding to RPCs": whether the disk of its sender holds what a message promises.
 */
export const isOnDisk = (message: Message, disk: Recovered, sender: Server): boolean => {
  const holdsVoteFor = (candidate: string): boolean =>
    disk.currentTerm > message.term || (disk.currentTerm === message.term && disk.votedFor === candidate)
  switch (message._tag) {
    case 'RequestVote':
      return holdsVoteFor(message.from)
    case 'RequestVoteReply':
      return !message.voteGranted || holdsVoteFor(message.to)
    case 'AppendEntriesReply': {
      // What was true of an older term's log may have been replaced since.
      const isOld = sender.currentTerm > message.term
      return !message.success || isOld || isHeld(message.matchIndex, disk, sender)
    }
    case 'InstallSnapshotReply':
      return message.matchIndex <= disk.log.lastIndex || sender.currentTerm > message.term
    case 'AppendEntries':
    case 'InstallSnapshot':
      return true
  }
}
