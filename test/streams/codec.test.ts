import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { bytes, json, utf8 } from '../../streams/wire/codec.js'

describe('what a codec decodes is what it encoded', () => {
  it('bytes, which stay the same object', () => {
    const command = Uint8Array.of(1, 2)
    expect(bytes.decode(bytes.encode(command))).toBe(command)
  })

  it('utf8, for any text that is one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8.decode(utf8.encode(text))).toBe(text)
      }),
    )
    expect(utf8.decode(utf8.encode('\uFEFFbyte order mark'))).toBe('\uFEFFbyte order mark')
    expect(utf8.decode(utf8.encode('half a pair \uD800'))).toBe('half a pair \uFFFD')
  })

  it('json, for any value that JSON has', () => {
    const { encode, decode } = json<fc.JsonValue>()
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(decode(encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('json', () => {
  it.each([undefined, () => 1, Symbol('s')])('refuses %p, which has no JSON: it could be decoded by nobody', (value) => {
    expect(() => json().encode(value)).toThrow('has no JSON: propose a value that has.')
  })

  it('passes on what JSON throws', () => {
    expect(() => json().encode(1n)).toThrow(TypeError)
    expect(() => json().decode(new Uint8Array(0))).toThrow(SyntaxError)
  })
})
