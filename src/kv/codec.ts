import type { Reader, Writer } from './bytes.js'
import type { Key } from './key.js'

/**
 * How a type is written as bytes and read back. Reading is total: where the bytes make no sense the reader keeps the
 * fault, and returns some value of the type, which is never used.
 *
 * Every value has one encoding only, so that equal bytes mean equal values and the other way round.
 */
export interface Codec<A> {
  readonly write: (writer: Writer, a: A) => void
  readonly read: (reader: Reader) => A
}

/** Whole numbers from 0, of any kind. */
export const natural = <N extends number>(): Codec<N> => ({
  write: (writer, n) => writer.number(n),
  read: (reader) => reader.number() as N,
})

/** A whole number from 0, or nothing. */
export const naturalOrNull = <N extends number>(): Codec<N | null> => ({
  write: (writer, n) => writer.number(n === null ? 0 : n + 1),
  read: (reader) => {
    const n = reader.number()
    return n === 0 ? null : ((n - 1) as N)
  },
})

export const flag: Codec<boolean> = { write: (writer, yes) => writer.flag(yes), read: (reader) => reader.flag() }
export const bytes: Codec<Uint8Array> = { write: (writer, b) => writer.bytes(b), read: (reader) => reader.bytes() }
export const keyCodec: Codec<Key> = { write: (writer, k) => writer.key(k), read: (reader) => reader.key() }
/** Plain ASCII, such as our own sentences. */
export const ascii: Codec<string> = { write: (writer, text) => writer.key(text), read: (reader) => reader.key() }

/** A word out of a list, by its place in it. */
export const oneOf = <A extends string>(what: string, choices: readonly [A, ...ReadonlyArray<A>]): Codec<A> => ({
  write: (writer, a) => writer.byte(choices.indexOf(a)),
  read: (reader) => {
    const code = reader.byte()
    if (code >= choices.length) reader.fail(`no ${what} has the code ${code}`)
    return choices[code] ?? choices[0]
  },
})

export const nullable = <A>(codec: Codec<A>): Codec<A | null> => ({
  write: (writer, a) => {
    writer.flag(a !== null)
    if (a !== null) codec.write(writer, a)
  },
  read: (reader) => (reader.flag() ? codec.read(reader) : null),
})

export const array = <A>(codec: Codec<A>): Codec<ReadonlyArray<A>> => ({
  write: (writer, all) => {
    writer.number(all.length)
    for (const a of all) codec.write(writer, a)
  },
  read: (reader) => {
    const all: A[] = []
    const length = reader.number()
    for (let i = 0; i < length && reader.sound; i++) all.push(codec.read(reader))
    return all
  },
})

/** A type that contains itself, to the depth that the reader allows. */
export const recursive = <A>(codec: () => Codec<A>): Codec<A> => ({
  write: (writer, a) => codec().write(writer, a),
  read: (reader) => reader.nested(() => codec().read(reader)),
})

type Fields<A> = { readonly [K in Exclude<keyof A, '_tag'>]: Codec<A[K]> }
type FieldRow = ReadonlyArray<readonly [name: string, codec: Codec<unknown>]>
type Fielded = Record<string, unknown>

const writeRow = (writer: Writer, row: FieldRow, from: Fielded): void => {
  for (const [name, codec] of row) codec.write(writer, from[name])
}

const readRow = (reader: Reader, row: FieldRow, into: Fielded): unknown => {
  for (const [name, codec] of row) into[name] = codec.read(reader)
  return into
}

/** The fields of a record, one after another in the order given here. */
export const struct = <A extends object>(fields: Fields<A>): Codec<A> => {
  const row: FieldRow = Object.entries(fields)
  return {
    write: (writer, a) => writeRow(writer, row, a as Fielded),
    read: (reader) => readRow(reader, row, {}) as A,
  }
}

interface Tagged {
  readonly _tag: string
}

/** For each `_tag` its code, which must stay what it is, and its fields. */
export type Variants<A extends Tagged> = {
  readonly [T in A['_tag']]: readonly [code: number, fields: Fields<Extract<A, { readonly _tag: T }>>]
}

/** A union on `_tag`: the code of the variant in one byte, then its fields. */
export const tagged = <A extends Tagged>(what: string, variants: Variants<A>): Codec<A> => {
  const all = Object.entries<readonly [number, object]>(variants).map(([_tag, [code, fields]]) => ({
    _tag,
    code,
    row: Object.entries(fields) as FieldRow,
  }))
  const byTag = new Map(all.map((variant) => [variant._tag, variant]))
  const byCode = new Map(all.map((variant) => [variant.code, variant]))
  return {
    write: (writer, a) => {
      const variant = byTag.get(a._tag)
      if (variant === undefined) throw new RangeError(`there is no ${what} ${a._tag}`)
      writer.byte(variant.code)
      writeRow(writer, variant.row, a as unknown as Fielded)
    },
    read: (reader) => {
      const code = reader.byte()
      const variant = byCode.get(code)
      if (variant === undefined) reader.fail(`no ${what} has the code ${code}`)
      const { _tag, row } = variant ?? (all[0] as (typeof all)[number])
      return readRow(reader, row, { _tag }) as A
    },
  }
}
