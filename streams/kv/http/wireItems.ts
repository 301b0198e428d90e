import { either, function as F } from 'fp-ts'
import * as t from 'io-ts'
import { Revision } from '../../../src/kv/ids.js'
import { bytesOfKey, type Key, keyOfBytes } from '../../../src/kv/key.js'
import type { Change, KeyValue } from '../../../src/kv/keyValue.js'
import { isText, keyOfText, textOfKey } from '../text.js'
import type { WatchMessage } from '../transport.js'
import { sliceBytes } from './slices.js'

/*
 * Keys and values as JSON. A value is base64. A key is text; a key that is no UTF-8 is base64 under another name.
 */

type Json = Readonly<Record<string, string | number>>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const keyIn = (key: Key): Json => (isText(key) ? { key: textOfKey(key) } : { keyBase64: base64(bytesOfKey(key)) })

export const jsonOfKeyValue = ({ key, value, createRevision, modRevision, version }: KeyValue): Json => ({
  ...keyIn(key),
  value: base64(value),
  createRevision,
  modRevision,
  version,
})

export const jsonOfChange = (change: Change): Json =>
  change._tag === 'Put' ? { type: 'put', ...jsonOfKeyValue(change.kv) } : { type: 'delete', ...keyIn(change.key) }

/**
 * Bytes of a value that are encoded at once: base64 makes four characters of three bytes, so that the pieces fit
 * together.
 */
const encodedBytes = (sliceBytes / 4) * 3

/** `JSON.stringify` of a value among other fields, in pieces. */
function* fields(before: Json, { value, createRevision, modRevision, version }: KeyValue): Generator<string> {
  yield `${JSON.stringify(before).slice(0, -1)},"value":"`
  for (let at = 0; at < value.length; at += encodedBytes) yield base64(value.subarray(at, at + encodedBytes))
  yield `","createRevision":${createRevision},"modRevision":${modRevision},"version":${version}}`
}

/** `JSON.stringify(jsonOfKeyValue(kv))`, in pieces. */
export const piecesOfKeyValue = (kv: KeyValue): Iterable<string> =>
  kv.value.length <= encodedBytes ? [JSON.stringify(jsonOfKeyValue(kv))] : fields(keyIn(kv.key), kv)

/** `JSON.stringify(jsonOfChange(change))`, in pieces. */
export const piecesOfChange = (change: Change): Iterable<string> =>
  change._tag === 'Delete' || change.kv.value.length <= encodedBytes
    ? [JSON.stringify(jsonOfChange(change))]
    : fields({ type: 'put', ...keyIn(change.key) }, change.kv)

const WireKey = t.union([t.type({ key: t.string }), t.type({ keyBase64: t.string })])
const Put = t.intersection([
  WireKey,
  t.type({ type: t.literal('put'), value: t.string, createRevision: Revision, modRevision: Revision, version: Revision }),
])
const Delete = t.intersection([WireKey, t.type({ type: t.literal('delete') })])
const Changed = t.type({ revision: Revision, events: t.array(t.union([Put, Delete])) })

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

const keyOf = (wire: t.TypeOf<typeof WireKey>): Key => {
  if ('keyBase64' in wire) return keyOfBytes(bytesOf(wire.keyBase64))
  return F.pipe(
    keyOfText(wire.key),
    either.getOrElse(({ message }): Key => {
      throw new TypeError(message)
    }),
  )
}

const jsonIn = (text: string): unknown => JSON.parse(text)

/** The message in the data of an event; null where it makes no sense. */
export const messageIn = (data: string): WatchMessage | null => {
  const decoded = either.tryCatch(() => Changed.decode(jsonIn(data)), String)
  if (either.isLeft(decoded) || either.isLeft(decoded.right)) return null
  const { revision, events } = decoded.right.right
  return {
    revision,
    events: events.map((event) =>
      event.type === 'delete'
        ? { _tag: 'Delete', key: keyOf(event) }
        : {
            _tag: 'Put',
            kv: {
              key: keyOf(event),
              value: bytesOf(event.value),
              createRevision: event.createRevision,
              modRevision: event.modRevision,
              version: event.version,
            },
          },
    ),
  }
}

const CompactedTo = t.type({ compactRevision: Revision })

/** The beginning of the history, in a text that says that it was compacted; null where the text says something else. */
export const compactRevisionIn = (data: string): Revision | null => {
  const decoded = either.tryCatch(() => CompactedTo.decode(jsonIn(data)), String)
  return either.isRight(decoded) && either.isRight(decoded.right) ? decoded.right.right.compactRevision : null
}
