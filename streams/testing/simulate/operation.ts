/**
 * An operation of a client, as the client saw it; `return` is null where it never heard of the outcome.
 *
 * @example
 * const operations: ReadonlyArray<SimulatedOperation> = simulate(7, { history: true }).history
 * const unheard = operations.filter((operation) => operation.return === null)
 */
export interface SimulatedOperation {
  readonly client: number
  readonly key: string
  readonly call: number
  readonly return: number | null
  readonly input: unknown
  readonly output: unknown
}
