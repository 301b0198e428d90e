import type { KvAnswer, KvRefusal } from '../../../src/kv/result.js'

/**
 * The reason why an operation was not answered.
 *
 * @example
 * const mayBeDone = ({ _tag }: ClientFailure) => _tag === 'Indeterminate'
 */
export type ClientFailure =
  /** Not done: the store refused. */
  | { readonly _tag: 'Refused'; readonly refusal: KvRefusal; readonly message: string }
  /** Not done: in all the time given, no server took it. */
  | { readonly _tag: 'Unavailable'; readonly message: string }
  /** Not done: too many operations wait in this client. */
  | { readonly _tag: 'Overloaded'; readonly message: string }
  /** Not done: the client was closed. */
  | { readonly _tag: 'Closed'; readonly message: string }
  /** Unknown: it may have been done, or may yet be. */
  | { readonly _tag: 'Indeterminate'; readonly message: string }

/**
 * How an operation ended.
 *
 * @example
 * const show = (outcome: Outcome) => (outcome._tag === 'Done' ? outcome.answer._tag : outcome.message)
 * client.execute({ _tag: 'Get', key: kv.key('a'), revision: null }).subscribe((outcome) => console.log(show(outcome))) // Got
 */
export type Outcome<A = KvAnswer> = { readonly _tag: 'Done'; readonly answer: A } | ClientFailure

/**
 * What the promises of a client reject with: `reason` says whether nothing was done or whether that is unknown.
 *
 * @example
 * client.put('a', '1').catch((error) => error instanceof ClientError && alarm(error.message))
 */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  constructor(readonly reason: ClientFailure) {
    super(reason.message)
  }
}

export const malformed = (why: unknown): ClientFailure => {
  const reason = why instanceof Error ? why.message : String(why)
  return { _tag: 'Refused', refusal: { _tag: 'Malformed', reason }, message: `This is no command: ${reason}.` }
}

export const indeterminate = (why: string): ClientFailure => ({
  _tag: 'Indeterminate',
  message: `The outcome is unknown: ${why}. It may have been done, or may yet be; read what is there before trying again.`,
})

export const unavailable = (timeoutMs: number, why: string | null): ClientFailure => ({
  _tag: 'Unavailable',
  message: `No server took it within ${timeoutMs} ms, and nothing was done${why === null ? '' : ` (the last try: ${why})`}. Check that a majority runs and that the endpoints are theirs, then try again.`,
})

export const overloaded = (maxQueued: number): ClientFailure => ({
  _tag: 'Overloaded',
  message: `${maxQueued} operations wait in this client already, and nothing was done: wait for some of them first, or raise maxQueued.`,
})

export const closed: ClientFailure = { _tag: 'Closed', message: 'This client was closed, and nothing was done: create another one.' }
