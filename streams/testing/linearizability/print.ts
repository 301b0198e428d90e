import type { Model } from './model.js'
import { endOf, type Operation } from './operation.js'

const maxBars = 24

/**
 * One line for each operation: the client, its times and the operation; and, if there are not too many, a bar that
 * shows when it was under way.
 */
export const printHistory = <State, Input, Output>(
  history: ReadonlyArray<Operation<Input, Output>>,
  { print }: Pick<Model<State, Input, Output>, 'print'>,
): ReadonlyArray<string> => {
  const inOrder = [...history].sort((a, b) => a.call - b.call || endOf(a) - endOf(b))
  const times = [...new Set(inOrder.flatMap((operation) => [operation.call, endOf(operation)]))].sort((a, b) => a - b)
  const bar = (operation: Operation<Input, Output>): string => {
    const from = 2 * times.indexOf(operation.call)
    const to = 2 * times.indexOf(endOf(operation))
    return `${' '.repeat(from)}├${'─'.repeat(Math.max(0, to - from - 1))}${operation.return === null ? '…' : '┤'}`
  }
  const columns = inOrder.map((operation) => [
    `client ${operation.client}`,
    `[${operation.call}, ${operation.return ?? '…'}]`,
    ...(inOrder.length > maxBars ? [] : [bar(operation)]),
    print(operation.input, operation.output),
  ])
  const widths = (columns[0] ?? []).map((_, i) => Math.max(...columns.map((row) => row[i]!.length)))
  return columns.map((row) => `  ${row.map((text, i) => (i === row.length - 1 ? text : text.padEnd(widths[i]!))).join('  ')}`)
}
