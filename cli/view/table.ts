import { count, size } from './format.js'
import type { Condition, Row } from './model.js'
import { type Line, type Paint, piece } from './paint.js'

interface Column {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align: 'left' | 'right'
  /** Room for numbers to grow, so that the table does not jump. */
  readonly minWidth: number
  /** Where there is no room, the column of the highest rank goes first; rank 0 stays. */
  readonly rank: number
}

const roles: Readonly<Record<Condition, string>> = {
  Starting: 'starting',
  Follower: 'follower',
  Candidate: 'candidate',
  Leader: 'leader',
  Stopped: 'stopped',
}

const paints: Readonly<Record<Condition, Paint>> = {
  Starting: 'dim',
  Follower: 'plain',
  Candidate: 'yellow',
  Leader: 'green',
  Stopped: 'red',
}

const marks: Readonly<Record<Condition, string>> = { Starting: '◌', Follower: '○', Candidate: '◐', Leader: '●', Stopped: '×' }

const maxNameWidth = 16
const short = (name: string): string => (name.length <= maxNameWidth ? name : `${name.slice(0, maxNameWidth - 1)}…`)

const columns: ReadonlyArray<Column> = [
  { title: 'SERVER', cell: ({ server }) => short(server), align: 'left', minWidth: 6, rank: 0 },
  { title: 'ROLE', cell: ({ role }) => roles[role], align: 'left', minWidth: 9, rank: 0 },
  { title: 'TERM', cell: ({ term }) => count(term), align: 'right', minWidth: 4, rank: 3 },
  { title: 'LEADER', cell: ({ leader }) => short(leader ?? '–'), align: 'left', minWidth: 6, rank: 4 },
  { title: 'COMMIT', cell: ({ commitIndex }) => count(commitIndex), align: 'right', minWidth: 9, rank: 1 },
  { title: 'APPLIED', cell: ({ lastApplied }) => count(lastApplied), align: 'right', minWidth: 9, rank: 2 },
  {
    title: 'SNAPSHOT',
    cell: ({ snapshotIndex }) => (snapshotIndex === 0 ? '–' : count(snapshotIndex)),
    align: 'right',
    minWidth: 9,
    rank: 8,
  },
  { title: 'LOG', cell: ({ logBytes }) => size(logBytes), align: 'right', minWidth: 6, rank: 6 },
  { title: 'DISK', cell: ({ diskBytes }) => size(diskBytes), align: 'right', minWidth: 6, rank: 5 },
  { title: 'HTTP', cell: ({ endpoint }) => endpoint.replace(/^http:\/\//, ''), align: 'left', minWidth: 0, rank: 7 },
]

const gap = '  '
const margin = 2

/** A heading and a line for each server, with as many columns as there is room for. */
export const table = (rows: ReadonlyArray<Row>, width: number): ReadonlyArray<Line> => {
  const shown = thatFit(rows, width)
  const pad = ({ align }: Column, text: string, to: number): string => (align === 'left' ? text.padEnd(to) : text.padStart(to))
  const heading = shown.map(({ column, width: to }) => pad(column, column.title, to)).join(gap)
  return [
    [piece(' '.repeat(margin)), piece(heading, 'dim')],
    ...rows.map((row) => {
      const paint = paints[row.role]
      const cells = shown.map(({ column, width: to }, i) =>
        piece((i === 0 ? '' : gap) + pad(column, column.cell(row), to), column.rank === 0 ? paint : 'plain'),
      )
      return [piece(`${marks[row.role]} `, paint), ...cells]
    }),
  ]
}

const thatFit = (rows: ReadonlyArray<Row>, width: number): ReadonlyArray<{ readonly column: Column; readonly width: number }> => {
  let shown = columns.map((column) => ({
    column,
    width: Math.max(column.minWidth, column.title.length, ...rows.map((row) => column.cell(row).length)),
  }))
  const total = (): number => margin + shown.reduce((sum, { width: one }) => sum + one + gap.length, 0) - gap.length
  while (total() > width && shown.some(({ column }) => column.rank > 0)) {
    const worst = Math.max(...shown.map(({ column }) => column.rank))
    shown = shown.filter(({ column }) => column.rank < worst)
  }
  return shown
}
