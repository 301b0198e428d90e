import { seeded } from '../random.js'

/** Whole numbers, both ends included. */
export interface Range {
  readonly min: number
  readonly max: number
}

export const whole = (die: () => number, { min, max }: Range): number => (min === max ? min : min + Math.floor(die() * (max - min + 1)))

/** One of `values`, which must not be empty. */
export const oneOf = <T>(die: () => number, values: ReadonlyArray<T>): T => values[Math.floor(die() * values.length)]!

/** `count` of `values`, in an order that the dice choose. */
export const some = <T>(die: () => number, values: ReadonlyArray<T>, count: number): ReadonlyArray<T> => {
  const left = [...values]
  const chosen: T[] = []
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(Math.floor(die() * left.length), 1))
  return chosen
}

/** Seeds for dice of their own, so that what one part of a simulation draws changes nothing in another part. */
export const seedsFrom = (seed: number): (() => number) => {
  const die = seeded(seed)
  return () => Math.floor(die() * 2 ** 32)
}
