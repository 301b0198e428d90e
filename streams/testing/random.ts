/**
 * Dice for a test or a simulation: uniform in [0, 1), the same numbers for the same seed, on every platform, since
 * all of it is 32-bit integer arithmetic and one exact division. A seed is a whole number from 0 to 2⁵³ − 1; seeds next
 * to each other have nothing in common. Do not use it for secrets.
 *
 * It is sfc32 ("small fast counter", Chris Doty-Humphrey, PractRand): its counter guarantees a period of at least 2³².
 *
 * @example
 * const random = seeded(7)
 * const network = memoryNetwork({ scheduler, random, delayMs: { min: 5, max: 10 } })
 */
export const seeded = (seed: number): (() => number) => {
  let a = seed >>> 0
  let b = (seed / 2 ** 32) >>> 0
  let c = 0
  let counter = 1
  const next = (): number => {
    const drawn = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + drawn) | 0
    return (drawn >>> 0) / 2 ** 32
  }
  for (let i = 0; i < roundsBeforeFirst; i++) next()
  return next
}

/** After so many rounds every bit of the seed has reached every bit of the state; the author of sfc32 takes as many. */
const roundsBeforeFirst = 12
