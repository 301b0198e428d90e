import { InvalidOption } from './invalidOption.js'

/** Throws `InvalidOption` where the value of the option `name` cannot work. */
export type Check = (name: string, value: unknown) => void

/** Checks every option by its name. The type sees to it that none is forgotten. */
export const check = <O extends object>(options: O, checks: { readonly [Name in keyof Required<O>]: Check }): void => {
  for (const [name, one] of Object.entries<Check>(checks)) one(name, (options as Readonly<Record<string, unknown>>)[name])
}

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

const must =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (name, value) => {
    if (!holds(value)) throw new InvalidOption(name, `must be ${what}, not ${shown(value)}`)
  }

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/** For an option without a default that may be left out. */
export const optional =
  (one: Check): Check =>
  (name, value) => {
    if (value !== undefined) one(name, value)
  }

/** For an option that may be `null`. */
export const orNull =
  (one: Check): Check =>
  (name, value) => {
    if (value !== null) one(name, value)
  }

/** A whole number from `min` to `max`. */
export const whole = (min = 1, max = Number.MAX_SAFE_INTEGER): Check => {
  const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : min === 1 ? 'above 0' : `from ${min} on`
  return must(`a whole number ${range}`, (value) => isWhole(value) && value >= min && value <= max)
}

/** Any number from 0 to 1. */
export const probability: Check = must('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1)

export const flag: Check = must('true or false', (value) => typeof value === 'boolean')
export const text: Check = must('a text', (value) => typeof value === 'string')
export const fn: Check = must('a function', (value) => typeof value === 'function')
export const record: Check = must('an object', (value) => isObject(value) && !Array.isArray(value))

/** An object that has these methods. */
export const having = (...methods: ReadonlyArray<string>): Check =>
  must(
    `an object with ${methods.join(' and ')}`,
    (value) => isObject(value) && methods.every((method) => typeof value[method] === 'function'),
  )

/** One of these texts. */
export const oneOf = (...texts: ReadonlyArray<string>): Check =>
  must(`one of ${texts.join(', ')}`, (value) => texts.some((one) => one === value))

export const scheduler: Check = having('now', 'schedule')

/** `{ min, max }`, whole numbers from `least` on. */
export const span = (least = 1): Check =>
  must(`{ min, max }, whole numbers with ${least} ≤ min ≤ max`, (value) => {
    if (!isObject(value)) return false
    const { min, max } = value
    return isWhole(min) && isWhole(max) && least <= min && min <= max
  })

/** A list, of which each item passes `one`. */
export const list =
  (one: Check): Check =>
  (name, value) => {
    if (!Array.isArray(value)) throw new InvalidOption(name, `must be an array, not ${shown(value)}`)
    for (const item of value as ReadonlyArray<unknown>) one(name, item)
  }
