interface KeyBrand {
  readonly Key: unique symbol
}

/**
 * A key: any bytes, kept as a *binary string*, one UTF-16 unit (0–255) per byte. Then `<` compares bytes, `===`
 * compares keys, a `Map` and a tree can hold them, and V8 stores one byte per unit.
 *
 * Text becomes a key at the border: `keyOfBytes(new TextEncoder().encode(text))`. What is typed as a text there (an
 * HTTP path, say) must be UTF-8; the store itself takes all bytes.
 *
 * @example
 * const ada: Key = key('users/ada')
 * const zoe: Key = keyOfBytes(new TextEncoder().encode('users/zoë'))
 * const isBefore = ada < zoe // true
 */
export type Key = string & KeyBrand

/**
 * `binary` as a key. For callers that know that every unit is below 256: nothing is checked.
 *
 * @example
 * key('users/ada') // text beyond ASCII: keyOfBytes
 */
export const key = (binary: string): Key => binary as Key

// Each byte is an argument of a call, and a call's arguments lie on the stack.
const bytesAtOnce = 4096

/**
 * The key made of these bytes.
 *
 * @example
 * keyOfBytes(new TextEncoder().encode('ü')) // '\u00c3\u00bc': two bytes
 */
export const keyOfBytes = (bytes: Uint8Array): Key => {
  if (bytes.length <= bytesAtOnce) return key(String.fromCharCode.apply(null, bytes as unknown as number[]))
  let binary = ''
  for (let at = 0; at < bytes.length; at += bytesAtOnce) binary += keyOfBytes(bytes.subarray(at, at + bytesAtOnce))
  return key(binary)
}

/**
 * The bytes that a key is made of.
 *
 * @example
 * bytesOfKey(key('\u00c3\u00bc')) // 195 188: 'ü' in UTF-8
 */
export const bytesOfKey = (k: Key): Uint8Array => {
  const bytes = new Uint8Array(k.length)
  for (let i = 0; i < k.length; i++) bytes[i] = k.charCodeAt(i)
  return bytes
}

/**
 * Keys from `start` on, up to but without `end`; `null` means to the end of the store.
 *
 * @example
 * const users: KeyRange = { start: key('users/'), end: key('users0') } // withPrefix(key('users/')) makes the same
 */
export interface KeyRange {
  readonly start: Key
  readonly end: Key | null
}

/**
 * This key alone: nothing lies between a key and the same key followed by a zero byte.
 *
 * @example
 * contains(single(key('a')), key('a')) // true
 * contains(single(key('a')), key('ab')) // false
 */
export const single = (k: Key): KeyRange => ({ start: k, end: key(k + '\0') })

/**
 * All keys that begin with `prefix`; the empty prefix means all keys.
 *
 * @example
 * withPrefix(key('users/')) // { start: 'users/', end: 'users0' }
 */
export const withPrefix = (prefix: Key): KeyRange => ({ start: prefix, end: endOfPrefix(prefix) })

/**
 * The keys from `start` on, up to but without `end`.
 *
 * @example
 * contains(between(key('a'), key('c')), key('b')) // true
 * contains(between(key('a'), key('c')), key('c')) // false
 */
export const between = (start: Key, end: Key): KeyRange => ({ start, end })

/**
 * The keys from `start` to the end of the store.
 *
 * @example
 * contains(from(key('m')), key('z')) // true
 */
export const from = (start: Key): KeyRange => ({ start, end: null })

/**
 * All keys.
 *
 * @example
 * range(kvServer.store(), everything, { limit: 10 }) // the first ten keys of the store
 */
export const everything: KeyRange = from(key(''))

/**
 * Tells whether a key lies in a range.
 *
 * @example
 * contains(withPrefix(key('users/')), key('users/ada')) // true
 */
export const contains = ({ start, end }: KeyRange, k: Key): boolean => start <= k && (end === null || k < end)

/** Tells whether a range is made for one key alone. */
export const isSingle = ({ start, end }: KeyRange): boolean => end !== null && end.length === start.length + 1 && end === start + '\0'

/** The first key after all those with this prefix: its last byte that can be raised, raised. */
const endOfPrefix = (prefix: Key): Key | null => {
  let last = prefix.length - 1
  while (last >= 0 && prefix.charCodeAt(last) === 0xff) last--
  return last < 0 ? null : key(prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1))
}
