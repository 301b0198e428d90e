import { either } from 'fp-ts'
import * as t from 'io-ts'
import { count, size } from '../view/format.js'

const Standing = t.readonly(
  t.type({
    id: t.string,
    role: t.string,
    term: t.number,
    leader: t.union([t.string, t.null]),
    commitIndex: t.number,
    lastApplied: t.number,
    revision: t.number,
    keys: t.number,
    storageBytes: t.number,
  }),
)
/** What a server says of itself, as far as it is printed. */
export type Standing = t.TypeOf<typeof Standing>

/** What came of asking at an endpoint; left, why nothing did. */
export interface Asked {
  readonly endpoint: string
  readonly answer: either.Either<string, { readonly standing: Standing; readonly body: Readonly<Record<string, unknown>> }>
}

/** Asks one server, and nobody in its place. */
export const ask = async (endpoint: string, timeoutMs: number): Promise<Asked> => {
  try {
    const response = await fetch(`${endpoint}/v1/status`, { signal: AbortSignal.timeout(timeoutMs) })
    const body = (await response.json()) as Readonly<Record<string, unknown>>
    if (!response.ok)
      return { endpoint, answer: either.left(typeof body['message'] === 'string' ? body['message'] : `it answers ${response.status}`) }
    return Standing.is(body)
      ? { endpoint, answer: either.right({ standing: body, body }) }
      : { endpoint, answer: either.left('what answers there is no rxraft of this version') }
  } catch (error) {
    return { endpoint, answer: either.left(reasonOf(error, timeoutMs)) }
  }
}

/** `fetch` says why in the cause of what it throws. */
const reasonOf = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  if (error instanceof SyntaxError) return 'what answers there is no rxraft'
  return error.cause instanceof Error ? error.cause.message || 'nobody listens there' : error.message
}

const titles = ['ENDPOINT', 'SERVER', 'ROLE', 'TERM', 'LEADER', 'COMMIT', 'APPLIED', 'REVISION', 'KEYS', 'DISK'] as const
/** The columns of names; numbers end where others end. */
const leftAligned: ReadonlyArray<string> = ['ENDPOINT', 'SERVER', 'ROLE', 'LEADER']

/** A line for each server under a heading. */
export const statusTable = (asked: ReadonlyArray<Asked>): string => {
  const rows = asked.map(({ endpoint, answer }) =>
    either.isLeft(answer) ? [endpoint, answer.left] : [endpoint, ...cells(answer.right.standing)],
  )
  const full = rows.filter((row) => row.length === titles.length)
  const widths = titles.map((title, i) => Math.max(title.length, ...(i === 0 ? rows : full).map((row) => row[i]?.length ?? 0)))
  const print = (row: ReadonlyArray<string>): string =>
    row
      .map((cell, i) => (leftAligned.includes(titles[i] ?? '') ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [titles, ...rows].map((row) => `${print(row)}\n`).join('')
}

const cells = (standing: Standing): ReadonlyArray<string> => {
  const { id, role, term, leader, commitIndex, lastApplied, revision, keys, storageBytes } = standing
  return [
    id,
    role.toLowerCase(),
    count(term),
    leader ?? '–',
    count(commitIndex),
    count(lastApplied),
    count(revision),
    count(keys),
    size(storageBytes),
  ]
}
