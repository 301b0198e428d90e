/** A value that `--json` can print. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [name: string]: Json }

export type Details = Readonly<Record<string, Json>>

/**
 * What a command came to. Expected failures are values: `reason` is a word for programs, `message` a
 * sentence that says what to do, `details` what `--json` tells beside them.
 */
export type Outcome =
  /** `text` is what is printed without `--json`. */
  | { readonly _tag: 'Done'; readonly details: Details; readonly text: string | Uint8Array }
  /** Nothing was done, or not all that was asked for; what was, `details` say. */
  | Failure<'Refused'>
  /** The command was not understood; nothing was attempted. */
  | Failure<'Usage'>
  /** It may have been done, or may yet be. */
  | Failure<'Unknown'>

export interface Failure<Tag extends 'Refused' | 'Usage' | 'Unknown'> {
  readonly _tag: Tag
  readonly reason: string
  readonly message: string
  readonly details: Details
}

/** For scripts: what the process exits with. */
export const exitCodes: Readonly<Record<Outcome['_tag'], number>> = { Done: 0, Refused: 1, Usage: 2, Unknown: 3 }

export const done = (details: Details = {}, text: string | Uint8Array = ''): Outcome => ({ _tag: 'Done', details, text })

const failure =
  <Tag extends 'Refused' | 'Usage' | 'Unknown'>(_tag: Tag) =>
  (reason: string, message: string, details: Details = {}): Failure<Tag> => ({ _tag, reason, message, details })

export const refused = failure('Refused')
export const usage = failure('Usage')
export const unknown = failure('Unknown')

/** The one line of `--json`. */
export const jsonOf = (outcome: Outcome): Json =>
  outcome._tag === 'Done'
    ? { ok: true, ...outcome.details }
    : { ok: false, outcome: outcome._tag, reason: outcome.reason, message: outcome.message, ...outcome.details }
