import type { KvResult } from '../../../src/kv/result.js'

/** Not done: this server does not lead. `leader` is the leader, as far as this server knows. */
export interface NotLeader {
  readonly _tag: 'NotLeader'
  readonly leader: string | null
}

/** Not done: a bound is reached; `limit` names it. */
export interface Overloaded {
  readonly _tag: 'Overloaded'
  readonly limit: string
}

/** Unknown: it may have been done, or may yet be. */
export interface Indeterminate {
  readonly _tag: 'Indeterminate'
}

/** How a request ended. `Answer` is the answer of another server, in the protocol that it spoke. */
export type GatewayOutcome<Answer> =
  /** This server leads: its store answered or refused. */
  | { readonly _tag: 'Replied'; readonly result: KvResult }
  /** Another server leads: it answered or refused. The gateway does not read its answer. */
  | { readonly _tag: 'Forwarded'; readonly answer: Answer }
  /** Only to a request that another server forwarded: that server looks further. */
  | NotLeader
  /** Not done: no leader took it in time. */
  | { readonly _tag: 'NoLeader'; readonly waitedMs: number }
  | Overloaded
  /** A read was not answered in time. It changes nothing, so nothing is in doubt. */
  | { readonly _tag: 'NoAnswer'; readonly waitedMs: number }
  | Indeterminate

/** Unknown: the same for all. */
export const indeterminate: Indeterminate = { _tag: 'Indeterminate' }
