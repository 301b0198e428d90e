import { either } from 'fp-ts'

export interface Line {
  /** From 1, empty lines counted. */
  readonly number: number
  readonly text: string
  /** How much of the input ends with this line. */
  readonly endByte: number
}

/** A line that cannot be a key; reading ends there. */
export class UnfitLine extends Error {
  override readonly name = 'UnfitLine'
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const newline = 10
const carriageReturn = 13

/**
 * The lines of a stream of bytes that are not empty, one after another: never more than a chunk and a
 * line in memory. Throws `UnfitLine` for one that is longer than `maxLineBytes` or not UTF-8.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Line, void, undefined> {
  let number = 0
  let endByte = 0
  let rest: Uint8Array = new Uint8Array(0)
  const tooLong = (): UnfitLine =>
    new UnfitLine(`line ${number + 1} is longer than ${maxLineBytes} bytes, which is the longest key: shorten it`)

  const lineOf = (bytes: Uint8Array): Line | null => {
    const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length
    if (end > maxLineBytes) throw tooLong()
    number++
    if (end === 0) return null
    const text = either.tryCatch(
      () => utf8.decode(bytes.subarray(0, end)),
      () => new UnfitLine(`line ${number} is not UTF-8: a key is text; convert the file`),
    )
    if (either.isLeft(text)) throw text.left
    return { number, text: text.right, endByte }
  }

  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      endByte += end + 1 - start
      const line = lineOf(bytes.subarray(start, end))
      start = end + 1
      if (line !== null) yield line
    }
    rest = bytes.subarray(start)
    // One more, which may be the first half of a line end.
    if (rest.length > maxLineBytes + 1) throw tooLong()
  }
  endByte += rest.length
  const last = rest.length === 0 ? null : lineOf(rest)
  if (last !== null) yield last
}
