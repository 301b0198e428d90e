import { clock, count, duration, sparkline } from './format.js'
import type { Mood, Note, View } from './model.js'
import { fit, harmless, type Line, type Paint, piece, printLine, spread } from './paint.js'
import { table } from './table.js'

export interface Canvas {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

/**
 * The view as lines: at most `rows`, none wider than `columns`. The servers come first; the story gets the rest.
 */
export const render = (view: View, { columns, rows, colour }: Canvas): ReadonlyArray<string> => {
  const head = [heading(view, columns), blank, ...table(view.rows, columns), blank]
  const foot = [blank, footer(view, columns)]
  const room = Math.max(0, rows - head.length - foot.length - 1)
  const events = room === 0 ? [] : [rate(view, columns), ...history(view.notes, room)]
  const all = [...head, ...events, ...Array.from({ length: room + 1 - events.length }, () => blank), ...foot]
  // Too low for all of it: the servers, and of what happened as much as there is room for.
  const shown = all.length <= rows ? all : [...table(view.rows, columns), blank, ...history(view.notes, rows)].slice(0, rows)
  return shown.map((line) => printLine(fit(line, columns), colour))
}

const blank: Line = []

const heading = ({ title, startedAt, now }: View, columns: number): Line =>
  spread([piece('rxraft', 'bold'), piece(`  ${title}`)], [piece(`up ${duration(now - startedAt)}`, 'dim')], columns)

const footer = ({ hint }: View, columns: number): Line =>
  spread([piece('try  ', 'dim'), piece(hint, 'cyan')], [piece('Ctrl-C stops', 'dim')], columns)

const rate = ({ commits }: View, columns: number): Line => {
  const perSecond = commits.slice(1).map((to, i) => Math.max(0, to - (commits[i] ?? to)))
  return [
    piece('commits/s ', 'dim'),
    piece(count(perSecond.at(-1) ?? 0).padStart(7)),
    piece(`  ${sparkline(perSecond.slice(-Math.max(0, Math.min(60, columns - 20))))}`, 'cyan'),
  ]
}

const moods: Readonly<Record<Mood, Paint>> = { Plain: 'plain', Good: 'green', Bad: 'red' }

const history = (notes: ReadonlyArray<Note>, room: number): ReadonlyArray<Line> => {
  const latest = notes.slice(-room).reverse()
  const width = Math.max(0, ...latest.map(({ server }) => Math.min(16, server.length)))
  return latest.map(({ at, server, mood, text, times }) => [
    piece(`${clock(at)}  `, 'dim'),
    piece(`${server.slice(0, 16).padEnd(width)}  `, 'bold'),
    piece(harmless(text), moods[mood]),
    piece(times > 1 ? `  (${count(times)} times)` : '', 'dim'),
  ])
}
