import { either } from 'fp-ts'
import { type BadBytes, Reader, Writer } from './bytes.js'
import { crc32 } from './crc32.js'
import { type KvLimits, limitsFrom } from './limits.js'
import { readBody } from './snapshotReading.js'
import { snapshotBody } from './snapshotWriting.js'
import { seal, type Store } from './store.js'

/*
 *   'R' 'X' 'K' 'V'  version 1
 *   appliedIndex  revision  compactRevision
 *   the keys just before compactRevision
 *   for each revision from compactRevision on: its changes, each a key and its value or nothing
 *   the sessions in order of use, each with its remembered answers; the idempotency keys likewise
 *   CRC-32 of all this
 *
 * The current keys are what the changes make of the older ones, so nothing is written twice, and nothing depends on how
 * the store came to be: equal stores give equal bytes on every server.
 */

const magic = 0x564b5852
const version = 1
const checksumBytes = 4
const bytesPerSlice = 64 * 1024

/**
 * Why bytes are no snapshot that this version can restore.
 *
 * @example
 * const show = (error: SnapshotError) => alarm(snapshotErrorMessage(error))
 */
export type SnapshotError =
  | { readonly _tag: 'NoSnapshot' }
  | { readonly _tag: 'UnknownSnapshotVersion'; readonly version: number }
  | { readonly _tag: 'DamagedSnapshot'; readonly reason: string }

/**
 * A snapshot error as a sentence that says what to do.
 *
 * @example
 * snapshotErrorMessage({ _tag: 'DamagedSnapshot', reason: 'it ends too early' })
 * // 'The snapshot is damaged: it ends too early. Take it from another server.'
 */
export const snapshotErrorMessage = (error: SnapshotError): string => {
  switch (error._tag) {
    case 'NoSnapshot':
      return 'These bytes are no snapshot of a key/value store: give the bytes that encodeSnapshot made.'
    case 'UnknownSnapshotVersion':
      return `This snapshot has format ${error.version}, this program reads format ${version}: run the version that wrote it, or a newer one.`
    case 'DamagedSnapshot':
      return `The snapshot is damaged: ${error.reason}. Take it from another server.`
  }
}

/**
 * The whole state as bytes: equal stores give equal bytes, on every server. Takes as long as the store is large; see
 * `snapshotPieces`.
 *
 * @example
 * const bytes = encodeSnapshot(kvServer.store())
 */
export const encodeSnapshot = (store: Store): Uint8Array => {
  const pieces = [...snapshotPieces(store)]
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/**
 * The same bytes in pieces of some 64 KiB. As a store never changes, there may be any time between two of them.
 *
 * @example
 * let bytes = 0
 * for (const piece of snapshotPieces(kvServer.store())) bytes += piece.length
 */
export function* snapshotPieces(store: Store): Generator<Uint8Array, void> {
  const end = new Writer()
  end.word(yield* checkedBody(store))
  yield end.take()
}

/**
 * A number by which servers that have applied the same entries compare their whole states, sessions included: its
 * snapshot's CRC-32.
 *
 * @example
 * digest(emptyStore()) === digest(emptyStore()) // true
 */
export const digest = (store: Store): number => {
  const pieces = checkedBody(store)
  for (;;) {
    const piece = pieces.next()
    if (piece.done === true) return piece.value
  }
}

/**
 * The store that a snapshot holds. Total: damaged bytes are told, never thrown on.
 *
 * @param limits where they differ from `defaultLimits`; they are no part of a snapshot
 *
 * @example
 * decodeSnapshot(encodeSnapshot(emptyStore())) // either.right: a store equal to that one
 * decodeSnapshot(Uint8Array.of(1)) // either.left({ _tag: 'NoSnapshot' })
 */
export const decodeSnapshot = (bytes: Uint8Array, limits: Partial<KvLimits> = {}): either.Either<SnapshotError, Store> => {
  const slices = snapshotReading(bytes, limits)
  for (;;) {
    const slice = slices.next()
    if (slice.done === true) return slice.value
  }
}

/**
 * `decodeSnapshot` in slices of some thousand records, between which other work can be done; the last one returns the
 * store.
 *
 * @example
 * const reading = snapshotReading(encodeSnapshot(emptyStore()))
 * let slice = reading.next()
 * while (slice.done !== true) slice = reading.next() // other work can come between two calls
 * const restored = slice.value // either.right: a store equal to that one
 */
export function* snapshotReading(bytes: Uint8Array, limits: Partial<KvLimits> = {}): Generator<void, either.Either<SnapshotError, Store>> {
  const end = Math.max(0, bytes.length - checksumBytes)
  const reader = new Reader(bytes.subarray(0, end))
  if (reader.word() !== magic) return either.left({ _tag: 'NoSnapshot' })
  const itsVersion = reader.byte()
  if (reader.sound && itsVersion !== version) return either.left({ _tag: 'UnknownSnapshotVersion', version: itsVersion })

  let sum = 0
  for (let at = 0; at < end; at += bytesPerSlice) {
    sum = crc32(bytes.subarray(at, Math.min(at + bytesPerSlice, end)), sum)
    yield
  }
  if (new Reader(bytes.subarray(end)).word() !== sum) reader.fail('its checksum does not match')

  const draft = yield* readBody(reader, limitsFrom(limits))
  return either.mapLeft(({ reason, at }: BadBytes): SnapshotError => ({ _tag: 'DamagedSnapshot', reason: `${reason} (at byte ${at})` }))(
    reader.done(seal(draft)),
  )
}

function* checkedBody(store: Store): Generator<Uint8Array, number> {
  const header = new Writer()
  header.word(magic)
  header.byte(version)
  const first = header.take()
  let sum = crc32(first)
  yield first
  for (const piece of snapshotBody(store)) {
    sum = crc32(piece, sum)
    yield piece
  }
  return sum
}
