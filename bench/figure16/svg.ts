import { grouped } from './table.js'

export interface Axis {
  readonly scale: 'linear' | 'log'
  readonly min: number
  readonly max: number
  /** Where there is a number below the axis and a line above it. */
  readonly ticks: ReadonlyArray<number>
}

export interface Curve {
  readonly label: string
  /** In order; null for each value, at the end, that is beyond `endAt`. */
  readonly values: ReadonlyArray<number | null>
  /** Where the curve ends if some values are beyond; else at the last of them. */
  readonly endAt: number
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly x: Axis
  readonly curves: ReadonlyArray<Curve>
}

const width = 760
const height = 400
const plot = { left: 64, right: 592, top: 52, bottom: 340 }

/** Told apart by colour in light and dark, and without colour by their dashes. */
const strokes = [
  { light: '#b3261e', dark: '#ff8a80', dashes: '' },
  { light: '#b35900', dark: '#ffb74d', dashes: '7 3' },
  { light: '#1b7a3d', dark: '#81c995', dashes: '' },
  { light: '#00748a', dark: '#63d3e6', dashes: '2 3' },
  { light: '#1a56c4', dark: '#8ab4f8', dashes: '' },
  { light: '#7b2fa8', dark: '#d7a3f5', dashes: '9 3 2 3' },
]

/** How many percent of the values lie at or below each x, as a picture that follows the reader's light or dark. */
export const cumulative = ({ title, xLabel, x, curves }: Chart): string => {
  const at = scaled(x)
  const rows = [0, 20, 40, 60, 80, 100]
  const grid = [
    ...x.ticks.map((tick) => `<path class="grid" d="M${at(tick)} ${plot.top}V${plot.bottom}"/>`),
    ...rows.map((percent) => `<path class="grid" d="M${plot.left} ${up(percent)}H${plot.right}"/>`),
  ]
  const numbers = [
    ...x.ticks.map((tick) => text(at(tick), plot.bottom + 20, 'middle', grouped(tick))),
    ...rows.map((percent) => text(plot.left - 8, up(percent) + 4, 'end', `${percent}%`)),
  ]
  const lines = curves.map((curve, i) => `<path class="curve c${i}" d="${steps(curve, x, at)}"/>`)
  const legend = curves.flatMap(({ label }, i) => {
    const y = plot.top + 14 + i * 24
    return [`<path class="curve c${i}" d="M${plot.right + 20} ${y}h34"/>`, text(plot.right + 62, y + 4, 'start', label)]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>`,
    style,
    `</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="${plot.left}" y="30">${escaped(title)}</text>`,
    ...grid,
    `<path class="axis" d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}"/>`,
    ...numbers,
    text((plot.left + plot.right) / 2, plot.bottom + 44, 'middle', xLabel),
    ...lines,
    ...legend,
    `</svg>\n`,
  ].join('\n')
}

const colours = (of: 'light' | 'dark'): string => strokes.map((stroke, i) => `.c${i} { stroke: ${stroke[of]} }`).join(' ')

const style = [
  `text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #24292f }`,
  `.title { font-size: 15px; font-weight: 600 }`,
  `.paper { fill: #ffffff } .grid { stroke: #d8dee4 } .axis { stroke: #57606a; fill: none }`,
  `.curve { fill: none; stroke-width: 2; stroke-linejoin: round }`,
  ...strokes.flatMap(({ dashes }, i) => (dashes === '' ? [] : [`.c${i} { stroke-dasharray: ${dashes} }`])),
  colours('light'),
  `@media (prefers-color-scheme: dark) {`,
  `text { fill: #e6edf3 } .paper { fill: #0d1117 } .grid { stroke: #30363d } .axis { stroke: #8b949e }`,
  colours('dark'),
  `}`,
].join('\n')

const scaled = ({ scale, min, max }: Axis): ((value: number) => number) => {
  const on = scale === 'log' ? Math.log10 : (value: number) => value
  return (value) => rounded(plot.left + ((on(value) - on(min)) / (on(max) - on(min))) * (plot.right - plot.left))
}

const up = (percent: number): number => rounded(plot.bottom - (percent / 100) * (plot.bottom - plot.top))

/** Tenths of a pixel: finer than anyone sees, and the same digits on every platform. */
const rounded = (pixels: number): number => Math.round(pixels * 10) / 10

/** A stair: a step up at each value. Values on the same spot make one step. */
const steps = ({ values, endAt }: Curve, { min, max }: Axis, at: (value: number) => number): string => {
  const led = values.filter((value) => value !== null)
  const percent = (count: number): number => up((count / values.length) * 100)
  let count = 0
  while (count < led.length && led[count]! <= min) count++
  let path = `M${at(min)} ${percent(count)}`
  while (count < led.length && led[count]! <= max) {
    const spot = at(led[count]!)
    while (count < led.length && led[count]! <= max && at(led[count]!) === spot) count++
    path += `H${spot}V${percent(count)}`
  }
  return led.length === values.length && led.at(-1)! <= max ? path : `${path}H${at(Math.min(endAt, max))}`
}

const text = (x: number, y: number, anchor: 'start' | 'middle' | 'end', words: string): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`

const escaped = (words: string): string => words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
