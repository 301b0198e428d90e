import { either } from 'fp-ts'
import { configurationBytes, configurationOf, type Entry } from '../../src/raft/state/entry.js'
import { Reader } from './bytes.js'
import { readEntries } from './entries.js'
import { maxConfigurationBytes, maxEntriesPerMessage, tags } from './layout.js'

/**
 * The message in `bytes`, in the shape of a `Message` whose values are still to be checked: `inbound` does that, or
 * `Message.decode`. Left with the reason, as a sentence, where the layout is wrong. It never throws, and its cost is
 * bounded by the number of bytes. Only counts that the bytes bear out are allocated.
 *
 * Commands of entries are views of `bytes`. So hand over bytes that are not written to afterwards.
 *
 * @example
 * decodeMessage(encodeMessage(message)) // right(message)
 * decodeMessage(Uint8Array.of(9)) // left('1 bytes end in the middle of a message')
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

const readFields = (reader: Reader): Decoded => {
  const tag = reader.u8()
  const envelope = { from: reader.name(), to: reader.name(), number: reader.u64(), term: reader.u48() }
  const read = readers.get(tag)
  return read === undefined ? either.left(`no message begins with ${tag}`) : read(reader, envelope)
}

type Decoded = either.Either<string, unknown>

/** What all messages begin with; `number` is `seq` in a request and `re` in a reply. */
interface Envelope {
  readonly from: string
  readonly to: string
  readonly number: number
  readonly term: number
}
type Read = (reader: Reader, envelope: Envelope) => Decoded

// In each, the fields are read in the order in which they stand.

const readRequestVote: Read = (reader, { from, to, number: seq, term }) => {
  const [lastLogIndex, lastLogTerm] = [reader.u64(), reader.u48()]
  return either.right({ _tag: 'RequestVote', from, to, seq, term, candidateId: from, lastLogIndex, lastLogTerm })
}

const readRequestVoteReply: Read = (reader, { from, to, number: re, term }) =>
  either.right({ _tag: 'RequestVoteReply', from, to, re, term, voteGranted: reader.flag() })

const readAppendEntries: Read = (reader, { from, to, number: seq, term }) => {
  const [prevLogIndex, prevLogTerm, leaderCommit] = [reader.u64(), reader.u48(), reader.u64()]
  const entries = readEntries(reader.rest(), maxEntriesPerMessage)
  if (entries === null) return either.left(`the bytes after leaderCommit are not a run of ${maxEntriesPerMessage} entries at most`)
  if (bytesOfConfigurations(entries) > maxConfigurationBytes)
    return either.left(`more than ${maxConfigurationBytes} bytes of configurations`)
  return either.right({
    _tag: 'AppendEntries',
    from,
    to,
    seq,
    term,
    leaderId: from,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit,
  })
}

const readAppendEntriesReply: Read = (reader, { from, to, number: re, term }) => {
  const [success, matchIndex, conflicts] = [reader.flag(), reader.u64(), reader.u8()]
  if (conflicts > 2) return either.left(`conflict begins with ${conflicts}, not with 0, 1 or 2`)
  const index = conflicts === 0 ? 0 : reader.u64()
  const conflict = conflicts === 0 ? null : { term: conflicts === 1 ? null : reader.u48(), index }
  return either.right({ _tag: 'AppendEntriesReply', from, to, re, term, success, matchIndex, conflict })
}

const readInstallSnapshot: Read = (reader, { from, to, number: seq, term }) => {
  const [lastIncludedIndex, lastIncludedTerm] = [reader.u64(), reader.u48()]
  const bytes = reader.sized(maxConfigurationBytes)
  const configuration = configurationOf(bytes)
  if (either.isLeft(configuration)) return either.left(`the configuration of a snapshot is ${configuration.left}`)
  // On disk a field may be missing that came later. On the wire each build of a protocol version writes all of them.
  if (!isSame(configurationBytes(configuration.right), bytes))
    return either.left('the configuration of a snapshot has other fields than this version of the protocol')
  return either.right({
    _tag: 'InstallSnapshot',
    from,
    to,
    seq,
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

const readInstallSnapshotReply: Read = (reader, { from, to, number: re, term }) =>
  either.right({ _tag: 'InstallSnapshotReply', from, to, re, term, offset: reader.u64(), matchIndex: reader.u64() })

const readers: ReadonlyMap<number, Read> = new Map([
  [tags.RequestVote, readRequestVote],
  [tags.RequestVoteReply, readRequestVoteReply],
  [tags.AppendEntries, readAppendEntries],
  [tags.AppendEntriesReply, readAppendEntriesReply],
  [tags.InstallSnapshot, readInstallSnapshot],
  [tags.InstallSnapshotReply, readInstallSnapshotReply],
])

const bytesOfConfigurations = (entries: ReadonlyArray<Entry>): number => {
  let bytes = 0
  for (const { kind, size } of entries) if (kind === 'configuration') bytes += size
  return bytes
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
