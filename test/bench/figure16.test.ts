import { describe, expect, it } from '@jest/globals'
import { lan } from '../../bench/figure16/cluster.js'
import { type Line, measure, type MeasureOptions, randomness, timeouts } from '../../bench/figure16/lines.js'
import { cumulative } from '../../bench/figure16/svg.js'
import { figuresOf, tableOf } from '../../bench/figure16/table.js'
import { trial } from '../../bench/figure16/trial.js'

const lineOf = (lines: ReadonlyArray<Line>, max: number): Line => lines.find(({ electionTimeoutMs }) => electionTimeoutMs.max === max)!
const withoutLeaderMs = (line: Line, options: MeasureOptions): ReadonlyArray<number | null> => measure(line, options).withoutLeaderMs

describe('Figure 16, "the time to detect and replace a crashed leader"', () => {
  it.each([lineOf(randomness, 155), lineOf(timeouts, 24)])('the same seed, the same figures: $electionTimeoutMs', (line) => {
    const once = withoutLeaderMs(line, { trials: 12, seed: 1 })
    expect(once.every((ms) => ms !== null && ms > 0)).toBe(true)
    expect(withoutLeaderMs(line, { trials: 12, seed: 1 })).toEqual(once)
    expect(withoutLeaderMs(line, { trials: 12, seed: 2 })).not.toEqual(once)
  })

  it('"In the absence of randomness, leader election consistently took longer than 10 seconds in our tests due to many split votes"', () => {
    expect(withoutLeaderMs(lineOf(randomness, 150), { trials: 30, seed: 1 })).toEqual([null, null, null])
  })

  it('"the smallest possible downtime was about half of the minimum election timeout"', () => {
    const all = withoutLeaderMs(lineOf(timeouts, 300), { trials: 40, seed: 1 })
    expect(all[0]).toBeGreaterThanOrEqual(150 - 75 + 2 * lan.min)
  })

  it('more randomness, and requests that arrive sooner, split fewer votes', () => {
    const median = (max: number, delayMs = lan): number =>
      figuresOf(measure(lineOf(randomness, max), { trials: 40, seed: 1, delayMs })).median!
    expect(median(155)).toBeGreaterThan(median(175))
    expect(median(155)).toBeGreaterThan(median(155, { min: 1, max: 2 }))
  })

  it('a trial is given up when it is told to be', () => {
    const given = { electionTimeoutMs: { min: 150, max: 300 }, delayMs: lan, seed: 1 }
    const ms = trial({ ...given, endMs: 10_000 })!
    expect(trial({ ...given, endMs: ms })).toBe(ms)
    expect(trial({ ...given, endMs: ms - 1 })).toBe(null)
  })
})

describe('the table', () => {
  it('shows what lies beyond the end of the trials as such', () => {
    const of = (withoutLeaderMs: ReadonlyArray<number | null>) => figuresOf({ line: randomness[2]!, endMs: 10_000, withoutLeaderMs })
    expect(of([1, 2, 3, 4, 1_234])).toMatchObject({ trials: 5, median: 3, mean: 249, p99: 1_234, max: 1_234, ended: 0 })
    expect(tableOf([of([1, 2, 3, null])])).toBe(
      [
        '| timeouts   | trials | median |     mean |      p99 |      max | no leader | paper      |',
        '| ---------- | ------ | ------ | -------- | -------- | -------- | --------- | ---------- |',
        '| 150–155 ms |      4 |      2 | > 10,000 | > 10,000 | > 10,000 |      25 % | median 287 |',
      ].join('\n'),
    )
  })
})

describe('the picture', () => {
  const picture = (scale: 'linear' | 'log', values: ReadonlyArray<number | null>, endAt = 50): string =>
    cumulative({
      title: 'less < more',
      xLabel: 'ms',
      x: { scale, min: 1, max: 100, ticks: [1, 10, 100] },
      curves: [{ label: 'a & b', values, endAt }],
    })
  const curveOf = (svg: string): string | undefined => /class="curve c0" d="([^"]+)"/.exec(svg)?.[1]

  // The plot is from 64 to 592 and from 340 (0 %) to 52 (100 %).
  it.each([
    { what: 'a step at each value', scale: 'log', values: [10, 100], endAt: 50, path: 'M64 340H328V196H592V52' },
    { what: 'equal values are one step', scale: 'log', values: [10, 10, 100], endAt: 50, path: 'M64 340H328V148H592V52' },
    { what: 'what is below the axis is there at its start', scale: 'linear', values: [0, 100], endAt: 50, path: 'M64 196H592V52' },
    { what: 'what is beyond the axis is outside', scale: 'log', values: [10, 101], endAt: 200, path: 'M64 340H328V196H592' },
    { what: 'a line ends where its trials do', scale: 'log', values: [10, null], endAt: 50, path: 'M64 340H328V196H512.5' },
    { what: 'also if it never rises', scale: 'log', values: [null, null], endAt: 50, path: 'M64 340H512.5' },
  ] as const)('$what', ({ scale, values, endAt, path }) => {
    expect(curveOf(picture(scale, values, endAt))).toBe(path)
  })

  it('is well formed, follows light and dark, and names what it shows', () => {
    const svg = picture('log', [10])
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]+<\/svg>\n$/)
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(svg).toContain('>less &#60; more</text>')
    expect(svg).toContain('>a &#38; b</text>')
    expect(svg.match(/<text/g)).toHaveLength(1 + 3 + 6 + 1 + 1) // title, x, y, label of x, legend
  })
})
