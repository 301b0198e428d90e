import type { Model } from './model.js'
import type { Operation } from './operation.js'

/** What the lab's store is asked; the key is the operation's own. */
export type KeyValueInput =
  | { readonly _tag: 'Get' }
  | { readonly _tag: 'Put'; readonly value: string }
  | { readonly _tag: 'Append'; readonly value: string }
  | { readonly _tag: 'Delete' }
  /** Puts `value` if the key holds `expected`; null stands for "there is no such key". */
  | { readonly _tag: 'CompareAndSet'; readonly expected: string | null; readonly value: string }

/** Get: the value, or null where there is none. CompareAndSet: whether it was put. The others answer null. */
export type KeyValueOutput = string | boolean | null

/** The state of one key: its value, or null where there is none. */
const step = (state: string | null, input: KeyValueInput, output: KeyValueOutput | undefined): ReadonlyArray<string | null> => {
  switch (input._tag) {
    case 'Get':
      return output === undefined || output === state ? [state] : []
    case 'Put':
      return [input.value]
    case 'Append':
      return [(state ?? '') + input.value]
    case 'Delete':
      return [null]
    case 'CompareAndSet': {
      const puts = state === input.expected
      return output === undefined || output === puts ? [puts ? input.value : state] : []
    }
  }
}

const print = (input: KeyValueInput, output: KeyValueOutput | undefined): string => {
  const answer = output === undefined ? '' : ` → ${JSON.stringify(output)}`
  switch (input._tag) {
    case 'Get':
      return `get${answer}`
    case 'Put':
      return `put ${JSON.stringify(input.value)}`
    case 'Append':
      return `append ${JSON.stringify(input.value)}`
    case 'Delete':
      return 'delete'
    case 'CompareAndSet':
      return `cas ${JSON.stringify(input.expected)} to ${JSON.stringify(input.value)}${answer}`
  }
}

/** The value that an operation knows to have been there. */
const seenBy = ({ input, output }: Operation<KeyValueInput, KeyValueOutput>): string | null => {
  if (input._tag === 'Get') return typeof output === 'string' ? output : null
  return input._tag === 'CompareAndSet' && output === true ? input.expected : null
}

const explains: NonNullable<Model<string | null, KeyValueInput, KeyValueOutput>['explains']> = ({ input: writes }, reader) => {
  const seen = seenBy(reader)
  if (seen === null || writes._tag === 'Get' || writes._tag === 'Delete') return false
  return writes._tag === 'Append' ? seen.includes(writes.value) : seen.startsWith(writes.value)
}

/**
 * The key/value store by the lab's operations: get, put, append, delete, compare-and-set. Each key is
 * a partition of its own. An operation whose outcome is unknown may have taken effect at any time
 * after its call, or never.
 *
 * @example
 * keyValueModel.step('a', { _tag: 'Get' }, 'a') // ['a']
 * keyValueModel.step('a', { _tag: 'Get' }, 'b') // []: it cannot answer so
 */
export const keyValueModel: Model<string | null, KeyValueInput, KeyValueOutput> = {
  partition: ({ key }) => key ?? '',
  initial: null,
  step,
  onlyReads: (input, output) => input._tag === 'Get' || (input._tag === 'CompareAndSet' && output === false),
  print,
  explains,
}
