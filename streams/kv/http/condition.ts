import type { IncomingHttpHeaders } from 'node:http'
import { either } from 'fp-ts'
import { type Revision, revision } from '../../../src/kv/ids.js'
import { type BadText, naturalIn } from './path.js'

/** The condition of a write, by `if-match` and `if-none-match`. */
export type Condition =
  | { readonly _tag: 'Always' }
  /** `if-match: "5"`; `if-none-match: *` is the same with 0, which no key ever has. */
  | { readonly _tag: 'AtRevision'; readonly revision: Revision }
  /** `if-match: *` */
  | { readonly _tag: 'Exists' }
  /** A weak tag matches nothing that is to be written (RFC 9110, §13.1.1). */
  | { readonly _tag: 'Never' }

export const etagOf = (modRevision: number): string => `"${modRevision}"`

const revisionIn = (tag: string): Revision | null => {
  const quoted = /^"(.*)"$/.exec(tag)
  const n = quoted === null ? null : naturalIn(quoted[1]!)
  return n === null ? null : revision(n)
}

const absent: Condition = { _tag: 'AtRevision', revision: revision(0) }

export const conditionOf = (headers: IncomingHttpHeaders): either.Either<BadText, Condition> => {
  const match = headers['if-match']?.trim()
  const noneMatch = headers['if-none-match']?.trim()
  if (match !== undefined && noneMatch !== undefined) return either.left('A write has if-match or if-none-match, not both.')
  if (noneMatch !== undefined)
    return noneMatch === '*' ? either.right(absent) : either.left('if-none-match of a write is *: it creates what is not there.')
  if (match === undefined) return either.right({ _tag: 'Always' })
  if (match === '*') return either.right({ _tag: 'Exists' })
  if (match.startsWith('W/')) return either.right({ _tag: 'Never' })
  const at = revisionIn(match)
  return at === null
    ? either.left('if-match is one etag as a GET gave it, a revision in double quotes, or *.')
    : either.right({ _tag: 'AtRevision', revision: at })
}

/** Tells whether a reader has this version already: by `if-none-match` of a GET, which may list several. */
export const isKnown = (headers: IncomingHttpHeaders, modRevision: number): boolean => {
  const tags = headers['if-none-match']
  return (
    tags !== undefined && (tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etagOf(modRevision)))
  )
}
