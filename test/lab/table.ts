import type { LabResult } from './run.js'
import type { Figures, LabTest } from './tests.js'

/** The limits of the handout's line that a run exceeded, as `rpcs 18 > 16`. */
export const exceeded = ({ limits, handout }: LabTest, result: Figures): ReadonlyArray<string> =>
  handout === null
    ? []
    : limits.filter((limit) => result[limit] > handout[limit]).map((limit) => `${limit} ${result[limit]} > ${handout[limit]}`)

const heading = ['test', 's', 'servers', 'RPCs', 'bytes', 'commits', '|', 's', 'RPCs', 'bytes', 'commits', '']

const seconds = (s: number): string => s.toFixed(1)
const whole = (n: number): string => n.toLocaleString('en')
const columns = ({ seconds: s, rpcs, bytes, commits }: Figures): [string, string, string, string] => [
  seconds(s),
  whole(rpcs),
  whole(bytes),
  whole(commits),
]

const row = (test: LabTest, result: LabResult): ReadonlyArray<string> => {
  const [s, ...counts] = columns(result)
  const beside = test.handout === null ? ['–', '–', '–', '–'] : columns(test.handout)
  const over = exceeded(test, result)
  const verdict = result.failure ?? (over.length > 0 ? `over: ${over.join(', ')}` : ['ok', ...result.warnings].join('; '))
  return [test.title, s, String(result.servers), ...counts, '|', ...beside, verdict]
}

/** The lab's own table, ours on the left and the handout's on the right. */
export const table = (runs: ReadonlyArray<readonly [LabTest, LabResult]>): string => {
  const rows = [heading, ...runs.map(([test, result]) => row(test, result))]
  const widths = heading.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 || column === cells.length - 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
