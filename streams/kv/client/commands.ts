import { either } from 'fp-ts'
import type { KvCommand, Range } from '../../../src/kv/command.js'
import { revision } from '../../../src/kv/ids.js'
import { type Key, type KeyRange, single } from '../../../src/kv/key.js'
import { bytesOfValue, keyOfText, type NotUtf8 } from '../text.js'
import type { ClientFailure } from './outcome.js'

/* The commands behind the words of the client; a key that is no text is refused before anything is sent. */

export type Command = either.Either<ClientFailure, KvCommand>

/** The key that a text is. */
export const keyIn = (text: string): either.Either<ClientFailure, Key> =>
  either.mapLeft(({ message }: NotUtf8): ClientFailure => ({ _tag: 'Refused', refusal: { _tag: 'Malformed', reason: message }, message }))(
    keyOfText(text),
  )

const onKey = (text: string, command: (key: Key) => KvCommand): Command => either.map(command)(keyIn(text))

export const put = (key: string, value: string | Uint8Array): Command =>
  onKey(key, (key) => ({ _tag: 'Put', key, value: bytesOfValue(value), prevKv: false }))

export const append = (key: string, value: string | Uint8Array): Command =>
  onKey(key, (key) => ({ _tag: 'Append', key, value: bytesOfValue(value), prevKv: false }))

export const compareAndSet = (key: string, value: string | Uint8Array, modRevision: number): Command =>
  onKey(key, (key) => ({ _tag: 'CompareAndSet', key, modRevision: revision(modRevision), value: bytesOfValue(value), prevKv: false }))

export const remove = (key: string): Command => onKey(key, (key) => ({ _tag: 'Delete', range: single(key), prevKv: false }))

export const get = (key: string, at: number | undefined): Command =>
  onKey(key, (key) => ({ _tag: 'Get', key, revision: at === undefined ? null : revision(at) }))

export const range = (
  range: KeyRange,
  query: { readonly revision?: number | undefined; readonly limit?: number | undefined } = {},
): Range => ({
  _tag: 'Range',
  range,
  limit: query.limit ?? null,
  revision: query.revision === undefined ? null : revision(query.revision),
  keysOnly: false,
  count: false,
})
