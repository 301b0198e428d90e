import { parseArgs } from 'node:util'
import { checkBounds, defaultBounds } from '../streams/testing/search/bounds.js'
import { type SearchBounds, searching, type SearchProgress } from '../streams/testing/search.js'

/*
 * `npm run search -- --servers 3 --terms 1 --entries 2`: looks at every state within the bounds
 * (docs/search.md). Besides the bounds: `--seconds 600` stops by then, `--no-noop`,
 * `--no-symmetry`, `--long-turns`, and `--json` for one object in the last line. Exits with 1 where a property does not
 * hold, with 2 where it is asked for what cannot be.
 */

const names = ['servers', 'terms', 'entries', 'messages', 'crashes', 'duplicates', 'heartbeats', 'states'] as const
const asked = () => {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      ...(Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<(typeof names)[number], { type: 'string' }>),
      seconds: { type: 'string', default: 'Infinity' },
      noop: { type: 'boolean', default: true },
      symmetry: { type: 'boolean', default: true },
      'long-turns': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const given: Partial<SearchBounds> = Object.fromEntries(
    names.flatMap((name) => (values[name] === undefined ? [] : [[name, Number(values[name])]])),
  )

  const bounds: SearchBounds = { ...defaultBounds, ...given }
  checkBounds(bounds)
  const maxSeconds = Number(values.seconds)
  if (!(maxSeconds > 0)) throw new Error(`--seconds is ${values.seconds}: it must be a number above 0`)
  return { values, bounds, maxSeconds }
}

const askedOrExit = (): ReturnType<typeof asked> => {
  try {
    return asked()
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

const { values, bounds, maxSeconds } = askedOrExit()
const { noop: leaderNoop, symmetry } = values
console.error([...Object.entries(bounds), ['no-op', leaderNoop ? 'on' : 'off']].map(([name, value]) => `${name} ${value}`).join(', '))

const startMs = performance.now()
const seconds = (): number => Math.round((performance.now() - startMs) / 100) / 10
const count = (n: number): string => n.toLocaleString('en')
const told = ({ states, depth, frontier }: SearchProgress): string =>
  `${count(states)} states, depth ${depth}, ${count(frontier)} to look at, ${seconds()} s`

const searches = searching({ ...bounds, settings: { leaderNoop }, symmetry, longTurns: values['long-turns'] })
let nextMs = 0
for (;;) {
  const { done, value } = searches.next()
  const { states, depth, frontier } = value
  if (done === true) {
    const { exhausted, counterexample } = value
    console.error(told(value))
    console.error(
      counterexample === null ? (exhausted ? 'exhausted: every property holds' : 'not exhausted') : `\n${counterexample.transcript}`,
    )
    if (values.json) console.log(JSON.stringify({ states, depth, frontier, exhausted, seconds: seconds(), bounds }))
    process.exitCode = counterexample === null ? 0 : 1
    break
  }
  if (seconds() >= maxSeconds) {
    console.error(`${told(value)}: not exhausted, the time is up`)
    if (values.json) console.log(JSON.stringify({ states, depth, frontier, exhausted: false, seconds: seconds(), bounds }))
    break
  }
  if (performance.now() >= nextMs) {
    nextMs = performance.now() + 5_000
    console.error(told(value))
  }
}
