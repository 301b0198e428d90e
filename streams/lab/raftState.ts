import type { Configuration } from '../../src/raft/state/configuration.js'
import type { SnapshotPointer, Write } from '../../src/raft/effect.js'
import { logIndex, type NodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import { fresh, type Recovered } from '../../src/raft/state/server.js'
import { entryHeaderBytes, readEntries, writeEntries } from '../wire/entries.js'

/*
 * The persisted state as the lab counts its bytes, little-endian:
 *
 *   version u8 | currentTerm u48 | votedFor u8 | commitIndex u48 | base index u48 | base term u48 | entries
 *
 * `votedFor` is the place of the candidate among the peers, from 1; 0 is none. The configuration is
 * not written: it is the peers, for good. Entries are laid out as on the wire (wire/entries.ts).
 */

const version = 1
const headerBytes = 1 + 6 + 1 + 6 + 6 + 6
const at = { currentTerm: 1, votedFor: 7, commitIndex: 8, baseIndex: 14, baseTerm: 20 } as const

/**
 * The bytes that were saved are none of ours, or damaged.
 *
 * @example
 * try {
 *   make(labNetwork({ servers: 1 }).ends(0), 0, memoryPersister(Uint8Array.of(9)), {})
 * } catch (error) {
 *   if (error instanceof UnreadableRaftState) console.error(error.message) // it does not begin as version 1 does
 * }
 */
export class UnreadableRaftState extends Error {
  override readonly name = 'UnreadableRaftState'
  constructor(reason: string) {
    super(`The persisted state cannot be read: ${reason}. Give \`make\` the persister that this server's former life saved to.`)
  }
}

/** The persisted state, kept packed: a write costs what it changes, whatever the length of the log. */
export class RaftState {
  private bytes = new Uint8Array(1_024)
  private length = headerBytes
  /** Where each entry ends. */
  private ends: number[] = []

  constructor(
    private readonly ids: ReadonlyArray<NodeId>,
    saved: Uint8Array,
  ) {
    this.bytes[0] = version
    if (saved.length === 0) return
    if (saved.length < headerBytes || saved[0] !== version) throw new UnreadableRaftState(`it does not begin as version ${version} does`)
    this.reserve(saved.length)
    this.bytes.set(saved)
    this.length = saved.length
    let end = headerBytes
    for (const { size } of this.entries()) this.ends.push((end += entryHeaderBytes + size))
  }

  /**
   * What a server starts from, with a snapshot of `snapshotBytes` where its log begins after one; nothing where nothing
   * was saved.
   */
  recovered(configuration: Configuration, snapshotBytes: number): Recovered {
    const { bytes } = this
    const base = { index: logIndex(readU48(bytes, at.baseIndex)), term: term(readU48(bytes, at.baseTerm)), configuration }
    return {
      ...fresh(logFrom(base, this.entries())),
      currentTerm: term(readU48(bytes, at.currentTerm)),
      votedFor: this.ids[bytes[at.votedFor]! - 1] ?? null,
      commitIndex: logIndex(readU48(bytes, at.commitIndex)),
      snapshot: base.index === 0 ? null : { ref: snapshotRef(1), size: snapshotBytes },
    }
  }

  write({ snapshot, hardState, truncateFrom, firstIndex, entries, commitIndex }: Write): void {
    if (snapshot !== null) this.beginAfter(snapshot)
    if (hardState !== null) {
      writeU48(hardState.currentTerm, this.bytes, at.currentTerm)
      this.bytes[at.votedFor] = hardState.votedFor === null ? 0 : this.ids.indexOf(hardState.votedFor) + 1
    }
    if (commitIndex > readU48(this.bytes, at.commitIndex)) writeU48(commitIndex, this.bytes, at.commitIndex)
    if (truncateFrom !== null) this.truncateFrom(truncateFrom)
    if (entries.length === 0) return
    this.truncateFrom(firstIndex)
    let end = this.length
    for (const { size } of entries) this.ends.push((end += entryHeaderBytes + size))
    this.reserve(end)
    this.length = writeEntries(entries, this.bytes, this.length)
  }

  /** All of it, until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Forgets what a snapshot replaces (Figure 13, 6 and 7). */
  private beginAfter({ base, keepsSuffix }: SnapshotPointer): void {
    const dropped = keepsSuffix ? Math.min(base.index - readU48(this.bytes, at.baseIndex), this.ends.length) : this.ends.length
    const cut = (this.ends[dropped - 1] ?? headerBytes) - headerBytes
    this.bytes.copyWithin(headerBytes, headerBytes + cut, this.length)
    this.length -= cut
    this.ends = this.ends.slice(dropped).map((end) => end - cut)
    writeU48(base.index, this.bytes, at.baseIndex)
    writeU48(base.term, this.bytes, at.baseTerm)
  }

  private truncateFrom(index: number): void {
    const kept = Math.max(0, index - 1 - readU48(this.bytes, at.baseIndex))
    if (kept >= this.ends.length) return
    this.ends.length = kept
    this.length = this.ends[kept - 1] ?? headerBytes
  }

  private entries(): NonNullable<ReturnType<typeof readEntries>> {
    // Copied once: the entries are views, and the log holds them for longer than the buffer stays as it is.
    const entries = readEntries(this.bytes.slice(headerBytes, this.length))
    if (entries === null) throw new UnreadableRaftState('its entries end in the middle of one')
    return entries
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(length, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}

const readU48 = (bytes: Uint8Array, offset: number): number => {
  let n = 0
  for (let i = 5; i >= 0; i--) n = n * 256 + bytes[offset + i]!
  return n
}

const writeU48 = (n: number, bytes: Uint8Array, offset: number): void => {
  let rest: number = n
  for (let i = 0; i < 6; i++) {
    bytes[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}
