import { either } from 'fp-ts'
import { type Key, key, keyOfBytes, bytesOfKey } from '../../src/kv/key.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** The reason why a text is no key. */
export interface NotUtf8 {
  readonly _tag: 'KeyNotUtf8'
  readonly message: string
}

const notUtf8: NotUtf8 = { _tag: 'KeyNotUtf8', message: 'A key is UTF-8 text, and this one has half of a surrogate pair: repair the text.' }

/** The key that a text is, as UTF-8. */
export const keyOfText = (text: string): either.Either<NotUtf8, Key> => {
  if (isAscii(text)) return either.right(key(text))
  return /\p{Surrogate}/u.test(text) ? either.left(notUtf8) : either.right(keyOfBytes(encoder.encode(text)))
}

/** The text that a key is. Only other clients can make keys that are no UTF-8; their bad bytes become U+FFFD. */
export const textOfKey = (k: Key): string => (isAscii(k) ? k : decoder.decode(bytesOfKey(k)))

/** Tells whether `textOfKey` gives the key as it is. */
export const isText = (k: Key): boolean => {
  if (isAscii(k)) return true
  try {
    strictDecoder.decode(bytesOfKey(k))
    return true
  } catch {
    return false
  }
}

export const bytesOfValue = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? encoder.encode(value) : value)
