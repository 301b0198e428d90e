import type { ObservableNotification } from 'rxjs'

interface Moment {
  readonly frame: number
  readonly notification: ObservableNotification<unknown>
}

interface Span {
  readonly subscribedFrame: number
  readonly unsubscribedFrame: number
}

/** What `TestScheduler` compares: the moments of a stream, or the spans during which a source was subscribed to. */
export type Frames = ReadonlyArray<Moment> | ReadonlyArray<Span>

/** Both sides as rows, and what their letters stand for. Equal rows mean equal streams. */
export const rowsOf = ({ expected, actual }: { readonly expected: Frames; readonly actual: Frames }) => {
  const printed = new Set([...actual, ...expected].flatMap((frame) => ('notification' in frame ? valuesOf(frame) : [])).map(print))
  const own = [...printed].filter((text) => /^"\w"$/.test(text))
  const free = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ').filter((letter) => !own.includes(`"${letter}"`))
  const letters = new Map([...printed].map((text) => [text, own.includes(text) ? text.slice(1, -1) : (free.shift() ?? `<${text}>`)]))
  const legend = [...letters].filter(([text]) => !own.includes(text)).map(([text, letter]) => `\n  ${letter} = ${text}`)

  const symbol = ({ notification }: Moment): string =>
    notification.kind === 'N'
      ? letters.get(print(notification.value))!
      : notification.kind === 'C'
        ? '|'
        : `#${letters.get(print(notification.error))!}`
  const row = (frames: Frames): string =>
    frames.every((frame) => 'notification' in frame) ? momentRow(frames, symbol) : frames.map(spanRow).join('   ')
  return { expected: row(expected), actual: row(actual), where: legend.join('') }
}

const valuesOf = ({ notification }: Moment): ReadonlyArray<unknown> =>
  notification.kind === 'N' ? [notification.value] : notification.kind === 'E' ? [notification.error] : []

const momentRow = (moments: ReadonlyArray<Moment>, symbol: (moment: Moment) => string): string => {
  const groups = new Map<number, ReadonlyArray<string>>()
  for (const moment of moments) groups.set(moment.frame, [...(groups.get(moment.frame) ?? []), symbol(moment)])
  let text = ''
  let column = 0
  for (const [frame, symbols] of groups) {
    const group = symbols.length === 1 ? symbols.join('') : `(${symbols.join('')})`
    text += wait(column, frame) + group
    column = frame + group.length
  }
  return text === '' ? '-' : text
}

const spanRow = ({ subscribedFrame: from, unsubscribedFrame: to }: Span): string =>
  `${wait(0, from)}^${to === Number.POSITIVE_INFINITY ? '--' : `${wait(from + 1, to)}!`}`

/** Time that passes; what no row can draw is written as the moment it leads to. */
const wait = (from: number, to: number): string =>
  to < from ? ` (at ${to}ms) ` : to - from > 60 ? ` ${to - from}ms ` : '-'.repeat(to - from)

/** Text that is the same for what is equal in shape: keys in order, iterables as lists, no `undefined`. */
const print = (value: unknown): string => JSON.stringify(value, plain) ?? String(value)

const plain = (_key: string, value: unknown): unknown => {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
    case 'symbol':
    case 'function':
      return String(value)
    case 'object':
      if (value === null || Array.isArray(value)) return value
      if (value instanceof Error) return { name: value.name, message: value.message }
      if (Symbol.iterator in value) return [...(value as Iterable<unknown>)]
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    default:
      return value
  }
}
