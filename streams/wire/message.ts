import { either } from 'fp-ts'
import { configurationBytes, configurationOf, type Entry } from '../../src/raft/state/entry.js'
import { maxTerm } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'
import { entriesByteLength, readEntries, writeEntries } from './entries.js'

/*
 * A message as bytes, little-endian, in the order of Figure 2's boxes:
 *
 *   RequestVote         1 | from | to | seq u64 | term u48 | lastLogIndex u64 | lastLogTerm u48
 *   RequestVoteReply    2 | from | to |  re u64 | term u48 | voteGranted u8
 *   AppendEntries       3 | from | to | seq u64 | term u48 | prevLogIndex u64 | prevLogTerm u48 | leaderCommit u64 | entries
 *   AppendEntriesReply  4 | from | to |  re u64 | term u48 | success u8 | matchIndex u64 | conflict
 *   InstallSnapshot     5 | from | to | seq u64 | term u48 | lastIncludedIndex u64 | lastIncludedTerm u48 | configuration | offset u64 | done u8 | data
 *   InstallSnapshotReply 6 | from | to | re u64 | term u48 | offset u64 | matchIndex u64
 *
 * A name is its length in one byte, then that many ASCII characters. `conflict` is a byte: 0 for none,
 * 1 before an index (u64), 2 before an index and a term (u48). `configuration` (its JSON) and `data` come after their length (u32). candidateId and leaderId are the
 * sender, so the wire has no way to say otherwise. Entries are laid out as in the log (entries.ts)
 * and come last, so that they can go to disk as they came. A term has 48 bits there, hence here.
 */

/*
 * Bounds on the work that a frame can cause. Without them one of 16 MiB could hold a million entries, or
 * one configuration that takes seconds to understand, and reading it would cost a leader its office.
 */

/** In one message; four times what a leader sends by default. */
export const maxEntriesPerMessage = 1 << 14
/** In one message, all its configurations together. */
const maxConfigurationBytes = 1 << 20

const tags = {
  RequestVote: 1,
  RequestVoteReply: 2,
  AppendEntries: 3,
  AppendEntriesReply: 4,
  InstallSnapshot: 5,
  InstallSnapshotReply: 6,
} as const

const envelopeBytes = 1 + 1 + 1 + 8 + 6
const fieldBytes = (message: Message): number => {
  switch (message._tag) {
    case 'RequestVote':
      return 8 + 6
    case 'RequestVoteReply':
      return 1
    case 'AppendEntries':
      return 8 + 6 + 8 + entriesByteLength(message.entries)
    case 'AppendEntriesReply':
      return 1 + 8 + 1 + (message.conflict === null ? 0 : message.conflict.term === null ? 8 : 8 + 6)
    case 'InstallSnapshot':
      return 8 + 6 + 4 + configurationBytes(message.configuration).length + 8 + 1 + 4 + message.data.length
    case 'InstallSnapshotReply':
      return 8 + 8
  }
}

/** How many bytes `message` takes. */
export const messageByteLength = (message: Message): number => envelopeBytes + message.from.length + message.to.length + fieldBytes(message)

/** Writes `message` into `target` from `offset` on and returns where it ends. Throws where a term exceeds `maxTerm`. */
export const writeMessage = (message: Message, target: Uint8Array, offset: number): number => {
  target[offset] = tags[message._tag]
  let at = writeName(message.from, target, offset + 1)
  at = writeName(message.to, target, at)
  at = writeU64('seq' in message ? message.seq : message.re, target, at)
  at = writeTerm(message.term, target, at)
  switch (message._tag) {
    case 'RequestVote':
      at = writeU64(message.lastLogIndex, target, at)
      return writeTerm(message.lastLogTerm, target, at)
    case 'RequestVoteReply':
      return writeFlag(message.voteGranted, target, at)
    case 'AppendEntries':
      at = writeU64(message.prevLogIndex, target, at)
      at = writeTerm(message.prevLogTerm, target, at)
      at = writeU64(message.leaderCommit, target, at)
      return writeEntries(message.entries, target, at)
    case 'AppendEntriesReply': {
      const { success, matchIndex, conflict } = message
      at = writeFlag(success, target, at)
      at = writeU64(matchIndex, target, at)
      target[at++] = conflict === null ? 0 : conflict.term === null ? 1 : 2
      if (conflict === null) return at
      at = writeU64(conflict.index, target, at)
      return conflict.term === null ? at : writeTerm(conflict.term, target, at)
    }
    case 'InstallSnapshot': {
      at = writeU64(message.lastIncludedIndex, target, at)
      at = writeTerm(message.lastIncludedTerm, target, at)
      const configuration = configurationBytes(message.configuration)
      writeU32(configuration.length, target, at)
      target.set(configuration, at + 4)
      at = writeU64(message.offset, target, at + 4 + configuration.length)
      at = writeFlag(message.done, target, at)
      writeU32(message.data.length, target, at)
      target.set(message.data, at + 4)
      return at + 4 + message.data.length
    }
    case 'InstallSnapshotReply':
      return writeU64(message.matchIndex, target, writeU64(message.offset, target, at))
  }
}

/**
 * `message` as bytes of its own. Throws where a term exceeds `maxTerm`.
 *
 * @example
 * import { either } from 'fp-ts'
 * import { Message } from 'rxraft/core'
 *
 * const isSame = (message: Message) => either.map(Message.is)(decodeMessage(encodeMessage(message))) // right(true)
 */
export const encodeMessage = (message: Message): Uint8Array => {
  const bytes = new Uint8Array(messageByteLength(message))
  writeMessage(message, bytes, 0)
  return bytes
}

/**
 * What `encodeMessage` wrote, in the shape of a `Message`, whose values are still to be checked
 * (inbound.ts); Left with the reason where the layout is wrong. Never throws, and its cost is bounded
 * by the number of bytes. Commands are views of `bytes`: hand over bytes that nobody else writes to.
 *
 * @example
 * decodeMessage(Uint8Array.of(9)) // left('…'): no message begins so
 */
export const decodeMessage = (bytes: Uint8Array): either.Either<string, unknown> => {
  const reader = new Reader(bytes)
  const decoded = readFields(reader)
  // Reading past the end gives zeros, so that one look at the end is enough.
  if (reader.at > bytes.length) return either.left(`${bytes.length} bytes end in the middle of a message`)
  if (either.isRight(decoded) && reader.at < bytes.length)
    return either.left(`${bytes.length - reader.at} bytes are left over after the message`)
  return decoded
}

const readFields = (reader: Reader): either.Either<string, unknown> => {
  const tag = reader.u8()
  const from = reader.name()
  const to = reader.name()
  const number = reader.u64()
  const term = reader.u48()
  switch (tag) {
    case tags.RequestVote:
      return either.right({
        _tag: 'RequestVote',
        from,
        to,
        seq: number,
        term,
        candidateId: from,
        lastLogIndex: reader.u64(),
        lastLogTerm: reader.u48(),
      })
    case tags.RequestVoteReply:
      return either.right({ _tag: 'RequestVoteReply', from, to, re: number, term, voteGranted: reader.flag() })
    case tags.AppendEntries: {
      const prevLogIndex = reader.u64()
      const prevLogTerm = reader.u48()
      const leaderCommit = reader.u64()
      const entries = readEntries(reader.rest(), maxEntriesPerMessage)
      if (entries === null) return either.left(`the bytes after leaderCommit are not a run of ${maxEntriesPerMessage} entries at most`)
      if (bytesOfConfigurations(entries) > maxConfigurationBytes)
        return either.left(`more than ${maxConfigurationBytes} bytes of configurations`)
      return either.right({
        _tag: 'AppendEntries',
        from,
        to,
        seq: number,
        term,
        leaderId: from,
        prevLogIndex,
        prevLogTerm,
        entries,
        leaderCommit,
      })
    }
    case tags.AppendEntriesReply: {
      const success = reader.flag()
      const matchIndex = reader.u64()
      const conflicts = reader.u8()
      if (conflicts > 2) return either.left(`conflict begins with ${conflicts}, not with 0, 1 or 2`)
      const index = conflicts === 0 ? 0 : reader.u64()
      const conflict = conflicts === 0 ? null : { term: conflicts === 1 ? null : reader.u48(), index }
      return either.right({ _tag: 'AppendEntriesReply', from, to, re: number, term, success, matchIndex, conflict })
    }
    case tags.InstallSnapshot: {
      const lastIncludedIndex = reader.u64()
      const lastIncludedTerm = reader.u48()
      const configuration = configurationOf(reader.sized(maxConfigurationBytes))
      if (either.isLeft(configuration)) return either.left(`the configuration of a snapshot is ${configuration.left}`)
      return either.right({
        _tag: 'InstallSnapshot',
        from,
        to,
        seq: number,
        term,
        leaderId: from,
        lastIncludedIndex,
        lastIncludedTerm,
        configuration: configuration.right,
        offset: reader.u64(),
        done: reader.flag(),
        data: reader.sized(Number.POSITIVE_INFINITY),
      })
    }
    case tags.InstallSnapshotReply:
      return either.right({ _tag: 'InstallSnapshotReply', from, to, re: number, term, offset: reader.u64(), matchIndex: reader.u64() })
    default:
      return either.left(`no message begins with ${tag}`)
  }
}

const bytesOfConfigurations = (entries: ReadonlyArray<Entry>): number => {
  let bytes = 0
  for (const { kind, size } of entries) if (kind === 'configuration') bytes += size
  return bytes
}

const writeName = (name: string, target: Uint8Array, offset: number): number => {
  target[offset] = name.length
  for (let i = 0; i < name.length; i++) target[offset + 1 + i] = name.charCodeAt(i)
  return offset + 1 + name.length
}

const writeFlag = (flag: boolean, target: Uint8Array, offset: number): number => {
  target[offset] = flag ? 1 : 0
  return offset + 1
}

const writeTerm = (term: number, target: Uint8Array, offset: number): number => {
  if (term > maxTerm) throw new RangeError(`term ${term} does not fit into 48 bits`)
  writeU32(term, target, offset)
  const high = Math.floor(term / 2 ** 32)
  target[offset + 4] = high
  target[offset + 5] = high >>> 8
  return offset + 6
}

const writeU64 = (n: number, target: Uint8Array, offset: number): number => {
  writeU32(n, target, offset)
  writeU32(n / 2 ** 32, target, offset + 4)
  return offset + 8
}

const writeU32 = (n: number, target: Uint8Array, offset: number): void => {
  target[offset] = n
  target[offset + 1] = n >>> 8
  target[offset + 2] = n >>> 16
  target[offset + 3] = n >>> 24
}

class Reader {
  at = 0
  constructor(private readonly bytes: Uint8Array) {}

  u8(): number {
    return this.bytes[this.at++]! | 0
  }

  /** 0 is false and 1 true; any other byte stays what it is, for the codec to refuse. */
  flag(): boolean | number {
    const byte = this.u8()
    return byte === 0 ? false : byte === 1 ? true : byte
  }

  u48(): number {
    return this.u32() + (this.u8() | (this.u8() << 8)) * 2 ** 32
  }

  /** May be no safe integer; that too is for the codec to refuse. */
  u64(): number {
    return this.u32() + this.u32() * 2 ** 32
  }

  name(): string {
    const end = this.at + 1 + this.u8()
    let name = ''
    while (this.at < end) name += String.fromCharCode(this.u8())
    return name
  }

  /** As many bytes as the u32 before them says; none where that is more than `maxBytes` or than there are. */
  sized(maxBytes: number): Uint8Array {
    const length = this.u32()
    const from = this.at
    this.at += length
    return length > maxBytes ? new Uint8Array(0) : this.bytes.subarray(from, this.at)
  }

  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.at)
    this.at = Math.max(this.at, this.bytes.length)
    return rest
  }

  private u32(): number {
    return (this.u8() | (this.u8() << 8) | (this.u8() << 16) | (this.u8() << 24)) >>> 0
  }
}
