/*
 * A line is a list of pieces, each in one paint: so its width is known without reading escape
 * sequences back, and a line without colours is the same line.
 */

export type Paint = 'plain' | 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

export interface Piece {
  readonly text: string
  readonly paint: Paint
}

export type Line = ReadonlyArray<Piece>

const codes: Readonly<Record<Paint, string>> = { plain: '', bold: '1', dim: '2', green: '32;1', yellow: '33', red: '31;1', cyan: '36' }

export const piece = (text: string, paint: Paint = 'plain'): Piece => ({ text, paint })

// Whatever a server says of itself: nothing in it may steer the terminal.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/g

export const harmless = (text: string): string => text.replace(control, '·')

export const widthOf = (line: Line): number => line.reduce((width, { text }) => width + text.length, 0)

/** At most `columns` wide; what is cut off ends in `…`. */
export const fit = (line: Line, columns: number): Line => {
  if (widthOf(line) <= columns) return line
  const fitted: Piece[] = []
  let left = columns
  for (const { text, paint } of line) {
    const whole = text.length < left
    fitted.push({ text: whole ? text : `${text.slice(0, Math.max(0, left - 1))}…`, paint })
    left -= text.length
    if (!whole) break
  }
  return fitted
}

/** `left` and `right` at the two ends of a line; where both have no room, `left` alone. */
export const spread = (left: Line, right: Line, columns: number): Line => {
  const gap = columns - widthOf(left) - widthOf(right)
  return gap < 2 ? left : [...left, piece(' '.repeat(gap)), ...right]
}

export const printLine = (line: Line, colour: boolean): string =>
  line.map(({ text, paint }) => (colour && codes[paint] !== '' ? `\u001b[${codes[paint]}m${text}\u001b[0m` : text)).join('')
