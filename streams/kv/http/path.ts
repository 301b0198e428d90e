import { either } from 'fp-ts'
import { type Key, key, keyOfBytes } from '../../../src/kv/key.js'

/** A sentence that says why a piece of a URL is wrong. */
export type BadText = string

const encoder = new TextEncoder()

const isPlain = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f || code === 0x25) return false
  }
  return true
}

/** The bytes that a percent-encoded piece of a URL stands for, if they are UTF-8. */
export const decodePiece = (piece: string): either.Either<BadText, Key> => {
  if (isPlain(piece)) return either.right(key(piece))
  if (/[^\x21-\x7e]/.test(piece)) return either.left('has a byte that is not ASCII: write the bytes of its UTF-8 percent-encoded.')
  try {
    return either.right(keyOfBytes(encoder.encode(decodeURIComponent(piece))))
  } catch {
    return either.left(
      'is not percent-encoded UTF-8: write each byte that is not a letter, a digit or one of -_.~ as % and two hexadecimal digits.',
    )
  }
}

/** A key as a piece of a URL: percent-encoded but for RFC 3986's unreserved characters. */
export const encodePiece = (k: Key): string => {
  let piece = ''
  for (let i = 0; i < k.length; i++) {
    piece += /[\w.~-]/.test(k[i]!) ? k[i]! : `%${k.charCodeAt(i).toString(16).padStart(2, '0').toUpperCase()}`
  }
  return piece
}

/** A URL's path and its query, which begins after the question mark. */
export const splitUrl = (url: string): { readonly path: string; readonly query: string } => {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

/** The parameters of a query; an unknown one is refused. A plus is a space, as forms write it. */
export const parameters = <Name extends string>(
  query: string,
  known: ReadonlyArray<Name>,
): either.Either<BadText, Partial<Readonly<Record<Name, Key>>>> => {
  const found: Partial<Record<Name, Key>> = {}
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = known.find((one) => one === (equals < 0 ? pair : pair.slice(0, equals)))
    if (name === undefined) return either.left(`The query has a parameter that is not known here: give ${known.join(', ')} or none.`)
    const value = decodePiece(equals < 0 ? '' : pair.slice(equals + 1).replaceAll('+', '%20'))
    if (either.isLeft(value)) return either.left(`The parameter ${name} ${value.left}`)
    found[name] = value.right
  }
  return either.right(found)
}

/** A whole number from 0 that is written plainly; null for anything else. */
export const naturalIn = (text: string): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null)
