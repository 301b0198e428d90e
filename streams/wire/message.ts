import { configurationBytes } from '../../src/raft/state/entry.js'
import type { Message } from '../../src/raft/messages.js'
import { writeFlag, writeName, writeTerm, writeU32, writeU64 } from './bytes.js'
import { entriesByteLength, writeEntries } from './entries.js'
import { tags } from './layout.js'

export { maxEntriesPerMessage } from './layout.js'
export { decodeMessage } from './readMessage.js'

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
 * `message` as bytes of its own, for a network of your own: what goes over a socket, a `MessagePort` or a queue.
 * `decodeMessage`, or `inbound`, reads it at the other end. Both ends need one version of the layout; `tcpNetwork`
 * compares versions in its greeting.
 *
 * Throws a `RangeError` where a term exceeds `maxTerm`.
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
