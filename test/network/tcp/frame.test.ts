import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FrameReader, frameHeaderBytes, frameOf } from '../../../streams/network/tcp/frame.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What a reader makes of chunks: each frame as text, then why it stopped. */
const read = (chunks: ReadonlyArray<Uint8Array>, maxBytes = 1_000): ReadonlyArray<string> => {
  const reader = new FrameReader(maxBytes)
  const seen: string[] = []
  for (const chunk of chunks) {
    const reason = reader.push(chunk, (type, payload) => {
      seen.push(`${type} ${hex(payload)}`)
      return true
    })
    if (reason !== null) return [...seen, reason]
  }
  return seen
}

const frame = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 200 }))

describe('frames', () => {
  it('are length, type and payload', () => {
    expect(hex(frameOf(5, Uint8Array.of(0xab, 0xcd)))).toBe('03000000' + '05' + 'abcd')
  })

  it('are found however the bytes were cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(([type, payload]) => frameOf(type, payload)))
        const chunks: Uint8Array[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + cuts[i % cuts.length]!
          chunks.push(bytes.subarray(at, end))
          at = end
        }
        expect(read(chunks)).toEqual(frames.map(([type, payload]) => `${type} ${hex(payload)}`))
      }),
    )
  })

  it('may be as long as is allowed and no longer', () => {
    const longest = frameOf(1, new Uint8Array(9))
    expect(read([longest], 10)).toEqual(['1 000000000000000000'])
    expect(read([longest], 9)).toEqual(['a frame of 10 bytes, where 1 to 9 are allowed'])
  })

  it('have a type at least', () => {
    expect(read([new Uint8Array(4)])).toEqual(['a frame of 0 bytes, where 1 to 1000 are allowed'])
  })

  it('are refused by their length, before any of the rest has come', () => {
    expect(read([Uint8Array.of(0xff, 0xff, 0xff, 0xff)])).toEqual(['a frame of 4294967295 bytes, where 1 to 1000 are allowed'])
  })

  it('are not views of the chunk they came in', () => {
    const chunk = new Uint8Array(1_000)
    chunk.set(frameOf(1, Uint8Array.of(7)))
    new FrameReader(10).push(chunk.subarray(0, frameHeaderBytes + 1), (_, payload) => {
      chunk.fill(0)
      expect([...payload]).toEqual([7])
      expect(payload.buffer.byteLength).toBe(2)
      return true
    })
    expect.assertions(2)
  })

  it('are no longer looked at when the reader of one says so', () => {
    const seen: number[] = []
    const both = Buffer.concat([frameOf(1, Uint8Array.of()), frameOf(2, Uint8Array.of())])
    expect(new FrameReader(10).push(both, (type) => seen.push(type) === 0)).toBeNull()
    expect(seen).toEqual([1])
  })
})
