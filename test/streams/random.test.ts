import { describe, expect, it } from '@jest/globals'
import { seeded } from '../../streams/testing/random.js'

const drawn = (seed: number, count: number): ReadonlyArray<number> => {
  const random = seeded(seed)
  return Array.from({ length: count }, random)
}

/** sfc32 as its author writes it, in whole numbers of any size. */
const slow = (seed: number, count: number): ReadonlyArray<number> => {
  const bits = (x: bigint): bigint => BigInt.asUintN(32, x)
  let [a, b, c, counter] = [bits(BigInt(seed)), bits(BigInt(seed) >> 32n), 0n, 1n]
  const next = (): bigint => {
    const result = bits(a + b + counter)
    counter = bits(counter + 1n)
    a = b ^ (b >> 9n)
    b = bits(c + (c << 3n))
    c = bits(bits((c << 21n) | (c >> 11n)) + result)
    return result
  }
  for (let i = 0; i < 12; i++) next()
  return Array.from({ length: count }, () => Number(next()) / 2 ** 32)
}

describe('seeded', () => {
  it.each([0, 1, 7, 2 ** 31, 2 ** 32, 2 ** 53 - 1])('%d: the numbers of its slow twin', (seed) => {
    expect(drawn(seed, 100)).toEqual(slow(seed, 100))
  })

  it('gives the same numbers on every platform', () => {
    expect(drawn(7, 3).map((x) => x * 2 ** 32)).toEqual([3_069_104_647, 3_582_417_929, 1_446_471_690])
  })

  it('has nothing in common with the seed next to it, also above 32 bits', () => {
    const firsts = [1, 2, 3, 2 ** 32 + 1, 2 ** 33 + 1].flatMap((seed) => drawn(seed, 200))
    expect(new Set(firsts).size).toBe(1_000)
  })

  it('is uniform in [0, 1): no tenth has more than a few of its standard deviations', () => {
    const tenths = Array.from({ length: 10 }, () => 0)
    for (const x of drawn(3, 100_000)) tenths[Math.floor(x * 10)]! += 1
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(4 * 95)
  })
})
