import { either } from 'fp-ts'
import * as t from 'io-ts'
import { Configuration } from '../../../src/raft/state/configuration.js'
import type { HardState, SnapshotPointer } from '../../../src/raft/effect.js'
import { configurationOf, type Entry } from '../../../src/raft/state/entry.js'
import { Incarnation, LogIndex, logIndex, NodeId, SnapshotRef, snapshotRef, Term, term } from '../../../src/raft/ids.js'
import { readEntries } from '../../wire/entries.js'
import { formatOf, Group } from './formats.js'
import { u48Bytes } from './record.js'

/*
 * What the records hold:
 *
 *   segment      JSON, see SegmentHeader
 *   hardState    currentTerm u48 | votedFor, ASCII, empty for none
 *   truncation   from u48
 *   entries      firstIndex u48 | entries as on the wire (streams/wire/entries.ts)
 *   commit       commitIndex u48
 *   pointer      ref u48 | size u48 | base.index u48 | base.term u48 | keepsSuffix u8 | base.configuration, JSON
 */

/**
 * Each segment opens with what the log was when it began, so that it can be read when the segments before it are
 * gone (or be seen not to continue them). `base` and `snapshot` are the snapshot pointer: everything
 * up to `base.index` is in the snapshot of that number; null while there is none.
 */
export const Base = t.readonly(t.strict({ index: LogIndex, term: Term, configuration: Configuration }))

export const SegmentHeader = t.readonly(
  t.strict({
    format: formatOf('log'),
    group: Group,
    id: NodeId,
    clusterId: t.string,
    incarnation: Incarnation,
    segment: t.number,
    currentTerm: Term,
    votedFor: t.union([NodeId, t.null]),
    base: Base,
    snapshot: t.union([t.readonly(t.strict({ ref: SnapshotRef, size: t.number })), t.null]),
    lastIndex: LogIndex,
    commitIndex: LogIndex,
  }),
  'SegmentHeader',
)
export type SegmentHeader = t.TypeOf<typeof SegmentHeader>

export const encodeSegmentHeader = (header: SegmentHeader): Buffer => Buffer.from(JSON.stringify(SegmentHeader.encode(header)), 'latin1')

export const decodeSegmentHeader = (payload: Buffer): SegmentHeader | null => decodeJson(SegmentHeader, payload)

/** What `payload` says, as JSON; null where that is no `A`. */
export const decodeJson = <A>(codec: t.Decoder<unknown, A>, payload: Buffer): A | null => {
  const json = either.tryCatch(
    () => JSON.parse(payload.toString('latin1')) as unknown,
    () => null,
  )
  const decoded = either.chainW((value: unknown) => codec.decode(value))(json)
  return either.isRight(decoded) ? decoded.right : null
}

export const hardStateByteLength = ({ votedFor }: HardState): number => u48Bytes + (votedFor?.length ?? 0)

export const writeHardState = ({ currentTerm, votedFor }: HardState, target: Buffer, at: number): number => {
  target.writeUIntLE(currentTerm, at, u48Bytes)
  return at + u48Bytes + (votedFor === null ? 0 : target.write(votedFor, at + u48Bytes, 'latin1'))
}

export const readHardState = (payload: Buffer): HardState | null => {
  if (payload.length < u48Bytes) return null
  const currentTerm = term(payload.readUIntLE(0, u48Bytes))
  const name = payload.toString('latin1', u48Bytes)
  if (name === '') return { currentTerm, votedFor: null }
  return NodeId.is(name) ? { currentTerm, votedFor: name } : null
}

export const writeIndex = (index: LogIndex, target: Buffer, at: number): number => target.writeUIntLE(index, at, u48Bytes)

export const readIndex = (payload: Buffer): LogIndex | null =>
  payload.length < u48Bytes ? null : logIndex(payload.readUIntLE(0, u48Bytes))

const pointerBytes = 4 * u48Bytes + 1

const configurationJson = ({ base: { configuration } }: SnapshotPointer): string => JSON.stringify(Configuration.encode(configuration))

export const pointerByteLength = (pointer: SnapshotPointer): number => pointerBytes + configurationJson(pointer).length

export const writePointer = (pointer: SnapshotPointer, target: Buffer, at: number): number => {
  const { ref, size, base, keepsSuffix } = pointer
  const flagAt = [ref, size, base.index, base.term].reduce((to, n) => target.writeUIntLE(n, to, u48Bytes), at)
  const jsonAt = target.writeUInt8(keepsSuffix ? 1 : 0, flagAt)
  return jsonAt + target.write(configurationJson(pointer), jsonAt, 'latin1')
}

export const readPointer = (payload: Buffer): SnapshotPointer | null => {
  const configuration = decodeJson(Configuration, payload.subarray(pointerBytes))
  if (configuration === null) return null
  const [ref = 0, size = 0, index = 0, baseTerm = 0] = [0, 1, 2, 3].map((n) => payload.readUIntLE(n * u48Bytes, u48Bytes))
  return {
    ref: snapshotRef(ref),
    size,
    base: { index: logIndex(index), term: term(baseTerm), configuration },
    keepsSuffix: payload[pointerBytes - 1] !== 0,
  }
}

/** The packed entries behind the first index, whose commands are views of `bytes`. */
export const readPacked = (bytes: Uint8Array): ReadonlyArray<Entry> | null => {
  const entries = readEntries(bytes)
  return entries?.every(({ kind, command }) => kind !== 'configuration' || either.isRight(configurationOf(command))) === true
    ? entries
    : null
}
