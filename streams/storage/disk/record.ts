import { crc32 } from 'node:zlib'

/*
 * The log is a row of records, little-endian:
 *
 *   checksum u32 | length u32 | write u48 | kind u8 | payload, `length` bytes
 *
 *  - `write` numbers the physical write that the record is part of. One write begins only after the
 *    former was synced, so a good record proves that every earlier write was on disk.
 *  - The highest bit of `kind` marks the last record of its write.
 *  - The checksum (CRC-32) covers all that follows it. It begins from the file's origin, a number drawn
 *    from cluster, server, incarnation and file, combined with the record's offset: a record at
 *    another place, or of another file or server, is not good.
 */

export type RecordKind = 'segment' | 'hardState' | 'truncation' | 'entries' | 'commit' | 'vote' | 'pointer' | 'snapshot' | 'block'

/** Their numbers on disk. Zero is none, so that zeros are no record. */
const kinds: ReadonlyArray<RecordKind | null> = [
  null,
  'segment',
  'hardState',
  'truncation',
  'entries',
  'commit',
  'vote',
  'pointer',
  'snapshot',
  'block',
]

export const recordHeaderBytes = 15
export const u48Bytes = 6
const endsWrite = 0x80

export interface LogRecord {
  readonly kind: RecordKind
  readonly write: number
  /** Whether its write ends with it. */
  readonly last: boolean
  /** A view of the bytes it was read from. */
  readonly payload: Buffer
  /** The offset behind it. */
  readonly end: number
}

/** Where the checksums of a file begin. `owner` are the names it belongs to. */
export const originOf = (owner: ReadonlyArray<string>): number => crc32(owner.join('\n'))

export interface Seal {
  readonly kind: RecordKind
  readonly write: number
  readonly last: boolean
  readonly origin: number
  /** Where in the file `target` begins. */
  readonly targetAt: number
}

/** Makes a record of the payload that stands in `target` from `at + recordHeaderBytes` to `end`. */
export const sealRecord = (target: Buffer, at: number, end: number, { kind, write, last, origin, targetAt }: Seal): void => {
  target.writeUInt32LE(end - at - recordHeaderBytes, at + 4)
  target.writeUIntLE(write, at + 8, u48Bytes)
  target[at + 14] = kinds.indexOf(kind) | (last ? endsWrite : 0)
  target.writeUInt32LE(crc32(target.subarray(at + 4, end), begin(origin, targetAt + at)), at)
}

/**
 * The operator takes the lower 32 bits of an offset: places 4 GiB apart, of which only snapshots have any, are told
 * apart by `write`.
 */
const begin = (origin: number, offset: number): number => (origin ^ offset) >>> 0

/**
 * The record that stands in `file` at `at`; null where none does that is whole and unchanged. `fileAt` is where in the
 * file these bytes begin.
 */
export const readRecord = (file: Buffer, at: number, origin: number, fileAt = 0): LogRecord | null => {
  const payloadAt = at + recordHeaderBytes
  if (payloadAt > file.length) return null
  const end = payloadAt + file.readUInt32LE(at + 4)
  const kind = kinds[file[at + 14]! & ~endsWrite]
  if (kind === undefined || kind === null || end > file.length) return null
  if (crc32(file.subarray(at + 4, end), begin(origin, fileAt + at)) !== file.readUInt32LE(at)) return null
  return {
    kind,
    write: file.readUIntLE(at + 8, u48Bytes),
    last: (file[at + 14]! & endsWrite) !== 0,
    payload: file.subarray(payloadAt, end),
    end,
  }
}

/**
 * Where the first good record of a write after `write` stands, sought from `from` on at every byte, since lengths may
 * be damaged; null if there is none.
 */
export const findLaterWrite = (file: Buffer, from: number, origin: number, write: number): number | null => {
  const atMost = write + file.length // every write has at least one record
  for (let at = from; at + recordHeaderBytes <= file.length; at++) {
    const claimed = file.readUIntLE(at + 8, u48Bytes)
    if (claimed > write && claimed <= atMost && readRecord(file, at, origin) !== null) return at
  }
  return null
}
