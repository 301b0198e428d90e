import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Line, linesOf } from '../../cli/client/lineReader.js'
import { type Progress, progressLine, progressText } from '../../cli/client/progress.js'
import { inLine } from '../../cli/client/values.js'

const encode = (text: string): Uint8Array => Buffer.from(text)

/* eslint-disable-next-line @typescript-eslint/require-await */
async function* chunked(bytes: Uint8Array, sizes: ReadonlyArray<number>): AsyncGenerator<Uint8Array> {
  let from = 0
  for (let i = 0; from < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1)
    yield bytes.subarray(from, from + size)
    from += size
  }
}

const read = async (text: string | Uint8Array, sizes: ReadonlyArray<number> = [], maxLineBytes = 100): Promise<ReadonlyArray<Line>> => {
  const lines: Line[] = []
  for await (const line of linesOf(chunked(typeof text === 'string' ? encode(text) : text, sizes), maxLineBytes)) lines.push(line)
  return lines
}

describe('the lines of a file', () => {
  it('have numbers that count empty lines too, and know where they end', async () => {
    expect(await read('a\n\r\nbü\r\n\nc')).toEqual([
      { number: 1, text: 'a', endByte: 2 },
      { number: 3, text: 'bü', endByte: 9 },
      { number: 5, text: 'c', endByte: 11 },
    ])
    expect(await read('')).toEqual([])
  })

  it('do not depend on where the chunks are cut', async () => {
    const text = fc.array(fc.constantFrom('a', 'ü', '🌱', '\n', '\r\n', ' ')).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), async (text, sizes) => {
        const slow = text.split('\n').map((line) => line.replace(/\r$/, ''))
        const expected = slow.map((text, i) => ({ number: i + 1, text })).filter(({ text }) => text !== '')
        expect((await read(text, sizes)).map(({ number, text }) => ({ number, text }))).toEqual(expected)
      }),
    )
  })

  it.each([
    ['1234567890\n12345678901\n', [], 'line 2 is longer than 10 bytes, which is the longest key: shorten it'],
    ['1234567890\r\n12345678901234', [1], 'line 2 is longer than 10 bytes, which is the longest key: shorten it'],
    [Buffer.from([97, 10, 0xff, 10]), [], 'line 2 is not UTF-8: a key is text; convert the file'],
  ])('end at one that cannot be a key', async (text, sizes, message) => {
    await expect(read(text, sizes, 10)).rejects.toThrow(message)
  })

  it('may be just as long as the longest key', async () => {
    expect(await read('1234567890\r\n1234567890', [3], 10)).toHaveLength(2)
  })
})

describe('progress', () => {
  const progress: Progress = { done: 115_200, retries: 0, part: 0.42, elapsedMs: 12_000 }

  it('is a bar, as long as there is room', () => {
    expect(progressLine(progress, 80)).toBe(' 42 % ' + '█'.repeat(16) + '░'.repeat(23) + '  115,200 keys  9,600/s  16 s left')
    expect(progressLine(progress, 45)).toBe(' 42 % 115,200 keys  9,600/s  16 s left')
    expect(progressLine({ ...progress, part: null, retries: 7 }, 80)).toBe('115,200 keys  9,600/s  7 repeated')
    for (let columns = 1; columns < 120; columns++) expect(progressLine(progress, columns).length).toBeLessThan(columns)
  })

  it('is a line without a terminal', () => {
    expect(progressText({ ...progress, retries: 7 })).toBe('42 %  115,200 keys  12 s  7 repeated')
  })
})

describe('a value in a listing', () => {
  it('keeps to its line', () => {
    expect(inLine(encode('a\tb\nc\\ü\u0007'))).toBe('a\\tb\\nc\\\\ü\\x07')
    expect(inLine(Buffer.from([0xff, 0]))).toBe('(2 bytes)')
  })
})
