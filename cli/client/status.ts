import { either } from 'fp-ts'
import * as t from 'io-ts'
import { count } from '../view/format.js'

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
  }),
)
/** What a server says of itself, as far as it is printed. */
export type Standing = t.TypeOf<typeof Standing>

/** What came of asking at an endpoint; left, why nothing did. */
export interface Asked {
  readonly endpoint: string
  readonly answer: either.Either<string, { readonly standing: Standing; readonly body: Readonly<Record<string, unknown>> }>
}

/** Asks one server, and no other one instead. */
export const ask = async (endpoint: string, timeoutMs: number): Promise<Asked> => {
  try {
    const response = await fetch(`${endpoint}/v1/status`, { signal: AbortSignal.timeout(timeoutMs) })
    const body = (await response.json()) as Readonly<Record<string, unknown>>
    if (!response.ok) {
      const { message } = (body['error'] ?? {}) as { readonly message?: unknown }
      return { endpoint, answer: either.left(typeof message === 'string' ? message : `it answers ${response.status}`) }
    }
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
  return error.cause instanceof Error ? error.cause.message || 'no server listens there' : error.message
}

interface Column {
  readonly title: string
  readonly cell: (standing: Standing) => string
  readonly pad: 'padStart' | 'padEnd'
}

const columns: ReadonlyArray<Column> = [
  { title: 'SERVER', cell: ({ id }) => id, pad: 'padEnd' },
  { title: 'ROLE', cell: ({ role }) => role.toLowerCase(), pad: 'padEnd' },
  { title: 'TERM', cell: ({ term }) => count(term), pad: 'padStart' },
  { title: 'LEADER', cell: ({ leader }) => leader ?? '–', pad: 'padEnd' },
  { title: 'COMMIT', cell: ({ commitIndex }) => count(commitIndex), pad: 'padStart' },
  { title: 'APPLIED', cell: ({ lastApplied }) => count(lastApplied), pad: 'padStart' },
  { title: 'REVISION', cell: ({ revision }) => count(revision), pad: 'padStart' },
  { title: 'KEYS', cell: ({ keys }) => count(keys), pad: 'padStart' },
]

/** A line for each server under a heading; where one does not answer, why. */
export const statusTable = (asked: ReadonlyArray<Asked>): string => {
  const standings = asked.flatMap(({ answer }) => (either.isRight(answer) ? [answer.right.standing] : []))
  const widths = columns.map(({ title, cell }) => Math.max(title.length, ...standings.map((standing) => cell(standing).length)))
  const row = (cellOf: (column: Column) => string): string =>
    columns.map((column, i) => cellOf(column)[column.pad](widths[i] ?? 0)).join('  ')

  const names = asked.map(({ endpoint }) => endpoint.replace('http://', ''))
  const width = Math.max('ENDPOINT'.length, ...names.map((name) => name.length))
  const lines = asked.map(({ answer }) => (either.isLeft(answer) ? answer.left : row(({ cell }) => cell(answer.right.standing))))
  return [['ENDPOINT', row(({ title }) => title)] as const, ...lines.map((line, i) => [names[i] ?? '', line] as const)]
    .map(([name, line]) => `${name.padEnd(width)}  ${line}`.trimEnd() + '\n')
    .join('')
}
