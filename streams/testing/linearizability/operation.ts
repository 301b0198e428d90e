/** One operation of a client, as the client saw it. Times are numbers of any one clock: only their order counts. */
export type Operation<Input, Output> = Completed<Input, Output> | Pending<Input>

/** An operation that was answered: it took effect at one moment between `call` and `return`. */
export interface Completed<Input, Output> {
  readonly client: string | number
  /** What it is about, where the object is made of parts that know nothing of each other; see `Model.partition`. */
  readonly key?: string
  readonly call: number
  readonly return: number
  readonly input: Input
  readonly output: Output
}

/**
 * An operation without a known outcome: it took effect at some moment after `call`, however late, or never.
 *
 * @example
 * const put: Pending<KeyValueInput> = { client: 1, key: 'x', call: 0, return: null, input: { _tag: 'Put', value: 'a' } }
 * const get: Completed<KeyValueInput, KeyValueOutput> = { client: 2, key: 'x', call: 20, return: 30, input: { _tag: 'Get' }, output: 'a' }
 * checkLinearizability([put, get], keyValueModel)._tag // 'Legal': the put took effect before the get
 */
export interface Pending<Input> {
  readonly client: string | number
  readonly key?: string
  readonly call: number
  readonly return: null
  readonly input: Input
  readonly output?: undefined
}

/** The latest moment at which it took effect, if it did. */
export const endOf = (operation: { readonly return: number | null }): number => operation.return ?? Number.POSITIVE_INFINITY

/** Throws an `Error` that names the operation where its times make no sense. */
export const checkTimes = ({ client, call, return: end }: Operation<unknown, unknown>): void => {
  if (Number.isNaN(call) || (end !== null && !(call <= end))) {
    throw new Error(`an operation of client ${client} is called at ${call} and returns at ${end}: it must return at its call or later`)
  }
}
