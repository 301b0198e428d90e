import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Line, labelOf, measure, type Measured, randomness, timeouts } from './figure16/lines.js'
import { cumulative, type Curve } from './figure16/svg.js'
import { figuresOf, tableOf } from './figure16/table.js'

/*
 * `npm run figure16 [-- --trials N --seed N --delay MIN-MAX --json]`: "the time to detect and replace a crashed
 * leader", Figure 16 of the extended paper, from the real streams in virtual time. Prints the table beside the paper's
 * figures and draws both charts into docs/; with another delay than that of the charts it only prints.
 */

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    delay: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

const whole = (name: string, value: string, min: number, max: number): number => {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < min || number > max)
    throw new Error(`--${name} is a whole number from ${min} to ${max}, not ${value}`)
  return number
}

const delayOf = (value: string): { readonly min: number; readonly max: number } => {
  const [min, max, ...more] = value.split('-').map((part) => whole('delay', part, 0, 1_000))
  if (min === undefined || max === undefined || more.length > 0 || min > max)
    throw new Error(`--delay is two numbers of milliseconds such as 5-10, not ${value}`)
  return { min, max }
}

const options = {
  trials: whole('trials', values.trials, 1, 2 ** 20),
  seed: whole('seed', values.seed, 0, 2 ** 32),
  ...(values.delay === undefined ? {} : { delayMs: delayOf(values.delay) }),
}
const startMs = performance.now()
const measured = new Map<Line, Measured>()
for (const line of new Set([...randomness, ...timeouts])) {
  console.error(`${labelOf(line)} …`)
  measured.set(line, measure(line, options))
}

const figures = [...measured.values()].map(figuresOf)
console.error(
  `\nmilliseconds without a leader; seed ${options.seed}, ${Math.round((performance.now() - startMs) / 1_000)} s\n${tableOf(figures)}`,
)

const curve = (line: Line): Curve => {
  const { withoutLeaderMs, endMs } = measured.get(line)!
  return { label: labelOf(line), values: withoutLeaderMs, endAt: endMs }
}
const draw = (name: string, svg: string): void => writeFileSync(`docs/${name}`, svg)

if (values.delay === undefined) {
  const xLabel = 'time without leader (ms)'
  const slowest = Math.max(...timeouts.flatMap((line) => measured.get(line)!.withoutLeaderMs.map((ms) => ms ?? 0)))
  const ticks = Array.from({ length: Math.ceil(slowest / 100) + 1 }, (_, i) => i * 100)
  draw(
    'figure-16-randomness.svg',
    cumulative({
      title: 'Crashes after which there is a leader again: more randomness',
      xLabel: `${xLabel}, logarithmic`,
      x: { scale: 'log', min: 100, max: 100_000, ticks: [100, 1_000, 10_000, 100_000] },
      curves: randomness.map(curve),
    }),
  )
  draw(
    'figure-16-timeouts.svg',
    cumulative({
      title: 'Crashes after which there is a leader again: longer timeouts',
      xLabel,
      x: { scale: 'linear', min: 0, max: ticks.at(-1)!, ticks },
      curves: timeouts.map(curve),
    }),
  )
}
if (values.json) console.log(JSON.stringify(figures))
