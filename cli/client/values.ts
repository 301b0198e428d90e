import { either } from 'fp-ts'
import type { KvItem } from '../../streams/kv.js'
import type { CommandCall } from '../command.js'
import { type Details, type Outcome, usage } from '../outcome.js'
import { count } from '../view/format.js'

/** More than any store takes by default; it then says what it takes. */
const maxValueBytes = 16 << 20

/** The argument, or for `-` all of stdin as it is. */
export const valueOf = async (argument: string, io: CommandCall['io']): Promise<either.Either<Outcome, Uint8Array>> => {
  if (argument !== '-') return either.right(Buffer.from(argument))
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxValueBytes)
      return either.left(usage('ValueTooLarge', `More than ${maxValueBytes} bytes came on stdin: split the value over several keys.`))
    chunks.push(chunk)
  }
  return either.right(Buffer.concat(chunks))
}

interface Bounds {
  readonly min: number
  readonly max: number
}

/** `firstSeed` as it is typed: `--first-seed`. */
export const flagOf = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** A whole number that an option gives; `fallback` where the option is left out. */
export const wholeOption = <A>(
  { options }: CommandCall,
  name: string,
  fallback: A,
  bounds?: Bounds,
): either.Either<Outcome, number | A> => {
  const text = options[name]
  if (text === undefined) return either.right(fallback)
  const value = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (value >= (bounds?.min ?? 0) && value <= (bounds?.max ?? Infinity)) return either.right(value)
  const within = bounds === undefined ? '' : ` from ${count(bounds.min)} to ${count(bounds.max)}`
  return either.left(usage('Usage', `${flagOf(name)} is ${JSON.stringify(text)}, not a whole number${within}`))
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A value as text, null where it is none. */
export const textOf = (value: Uint8Array): string | null =>
  either.getOrElse<unknown, string | null>(() => null)(
    either.tryCatch(
      () => utf8.decode(value),
      () => null,
    ),
  )

/** As `--json` shows it: base64, as in the HTTP interface, and as text where it is one. */
export const itemDetails = ({ key, value, createRevision, modRevision, version }: KvItem): Details => ({
  key,
  value: Buffer.from(value).toString('base64'),
  text: textOf(value),
  createRevision,
  modRevision,
  version,
})

// eslint-disable-next-line no-control-regex
const breaking = /[\u0000-\u001f\u007f\\]/g
const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }
const escaped = (c: string): string => escapes[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`

/** In one line of a listing: what would break the line is escaped; what is no text is told by its length. */
export const inLine = (value: Uint8Array): string => textOf(value)?.replace(breaking, escaped) ?? `(${value.length} bytes)`
