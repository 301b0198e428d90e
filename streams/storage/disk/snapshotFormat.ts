import * as t from 'io-ts'
import { Incarnation, NodeId, SnapshotRef } from '../../../src/raft/ids.js'
import type { LogBase } from '../../../src/raft/state/log.js'
import { formatOf, Group, madeLater, presentFormat } from './formats.js'
import type { Identity } from './identity.js'
import { Base, decodeJson } from './payload.js'
import { originOf, readRecord, recordHeaderBytes, sealRecord } from './record.js'

/*
 * A snapshot is a file of records (record.ts): a header, and its bytes in blocks of 64 KiB, the last of which is
 * shorter, or empty.
 *
 *   snapshot | block 1 | block 2 | … | block n, marked as the last
 *
 * `write` is the number of the block. So each block stands at a place that can be told from the first one's, and
 * vouches for itself: a range is read and checked without the rest.
 */

export const blockBytes = 1 << 16
const blockStride = recordHeaderBytes + blockBytes

/** Blocks that are written or read in one call. */
export const blocksAtOnce = 16

export const SnapshotHeader = t.readonly(
  t.strict({
    format: formatOf('snapshot'),
    group: Group,
    id: NodeId,
    clusterId: t.string,
    incarnation: Incarnation,
    ref: SnapshotRef,
    base: Base,
  }),
  'SnapshotHeader',
)
export type SnapshotHeader = t.TypeOf<typeof SnapshotHeader>

/** The header begins where no name is needed, so that it can say whose it is. */
const headerOrigin = originOf(['rxraft snapshot'])

export const blockOrigin = ({ clusterId, id, incarnation }: Identity, ref: SnapshotRef): number =>
  originOf(['snapshot', clusterId, id, incarnation, String(ref)])

/** Where block `number` stands, counted from 1, behind a header of `headerBytes`. */
export const blockOffset = (headerBytes: number, number: number): number => headerBytes + (number - 1) * blockStride

/** How many blocks hold `size` bytes: one at least, so that there is one to be marked as the last. */
export const blocksOf = (size: number): number => Math.max(1, Math.ceil(size / blockBytes))

/** What a snapshot of `size` bytes occupies. */
export const fileBytes = (headerBytes: number, size: number): number => headerBytes + blocksOf(size) * recordHeaderBytes + size

export const encodeHeader = (
  { id, clusterId, incarnation }: Identity,
  ref: SnapshotRef,
  { index, term, configuration }: LogBase,
): Buffer => {
  const header: SnapshotHeader = {
    format: `rxraft snapshot ${presentFormat}`,
    group: 0,
    id,
    clusterId,
    incarnation,
    ref,
    base: { index, term, configuration },
  }
  const payload = Buffer.from(JSON.stringify(SnapshotHeader.encode(header)), 'latin1')
  const record = Buffer.concat([Buffer.alloc(recordHeaderBytes), payload])
  sealRecord(record, 0, record.length, { kind: 'snapshot', write: 0, last: false, origin: headerOrigin, targetAt: 0 })
  return record
}

/** The header that `file` opens with and where it ends; null where none does that is whole and unchanged. */
export const readHeader = (file: Buffer): { readonly header: SnapshotHeader; readonly end: number } | null => {
  const record = readRecord(file, 0, headerOrigin)
  const header = record?.kind === 'snapshot' && record.write === 0 && !record.last ? decodeJson(SnapshotHeader, record.payload) : null
  return record === null || header === null ? null : { header, end: record.end }
}

/** Why a later build of rxraft made `file`; null where it did not, or where the header is not whole. */
export const snapshotMadeLater = (file: Buffer): string | null => {
  const record = readRecord(file, 0, headerOrigin)
  return record?.kind === 'snapshot' ? madeLater(record.payload, 'snapshot') : null
}

export interface BlockPlace {
  readonly origin: number
  readonly number: number
  readonly last: boolean
  /** Where in the file it stands. */
  readonly fileAt: number
}

/** Makes a block of the bytes that stand in `target` from `at + recordHeaderBytes` to `end`. */
export const sealBlock = (target: Buffer, at: number, end: number, { origin, number, last, fileAt }: BlockPlace): void =>
  sealRecord(target, at, end, { kind: 'block', write: number, last, origin, targetAt: fileAt - at })

/**
 * The bytes of the block that stands in `bytes` at `at`; null where that is another, or not what was written. `length`
 * is how many there must be.
 */
export const readBlock = (bytes: Buffer, at: number, length: number, { origin, number, last, fileAt }: BlockPlace): Buffer | null => {
  const record = readRecord(bytes, at, origin, fileAt - at)
  const isIt = record?.kind === 'block' && record.write === number && record.last === last && record.payload.length === length
  return isIt ? record.payload : null
}
