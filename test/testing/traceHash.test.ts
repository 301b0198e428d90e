import { expect, it } from '@jest/globals'
import { TraceHash } from '../../streams/testing/simulate/traceHash.js'

const hashOf = (...parts: ReadonlyArray<number | string>): string => {
  const hash = new TraceHash()
  for (const part of parts) {
    if (typeof part === 'number') hash.add(part)
    else hash.text(part)
  }
  return hash.hex
}

it('is the same for the same, in every engine', () => {
  expect([hashOf(), hashOf(1, 2, 3), hashOf('abc'), hashOf(2 ** 53 - 1)]).toMatchInlineSnapshot(`
   [
     "c50fb4f9c9510887",
     "cd2757e90130ed73",
     "d825175ecfee0276",
     "aed78eaf958fe09a",
   ]
  `)
})

it('tells order, number and kind apart', () => {
  const all = [
    hashOf(),
    hashOf(0),
    hashOf(0, 0),
    hashOf(1, 2),
    hashOf(2, 1),
    hashOf('12'),
    hashOf('1', '2'),
    hashOf(2 ** 32),
    hashOf(2 ** 33),
  ]
  expect(new Set(all).size).toBe(all.length)
})

it('of many thousand short traces no two are the same', () => {
  const all = new Set<string>()
  for (let a = 0; a < 200; a++) for (let b = 0; b < 200; b++) all.add(hashOf(a, b))
  expect(all.size).toBe(40_000)
})
