/** An operation of a client, as the client saw it; `return` is null where it never heard of the outcome. */
export interface SimulatedOperation {
  readonly client: number
  readonly key: string
  readonly call: number
  readonly return: number | null
  readonly input: unknown
  readonly output: unknown
}
