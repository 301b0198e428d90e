import { labelOf, type Measured } from './lines.js'

/** A line in figures, in milliseconds; null where it lies beyond the end of the trials. */
export interface Figures {
  readonly line: string
  readonly trials: number
  readonly median: number | null
  readonly mean: number | null
  readonly p99: number | null
  readonly max: number | null
  /** The share of trials, 0 to 1, that ended without a leader. */
  readonly ended: number
  readonly endMs: number
  readonly paper: string | null
}

export const figuresOf = ({ line, withoutLeaderMs, endMs }: Measured): Figures => {
  const trials = withoutLeaderMs.length
  const led = withoutLeaderMs.filter((ms) => ms !== null)
  /** The smallest that at least this share of the trials do not exceed. */
  const quantile = (share: number): number | null => withoutLeaderMs[Math.ceil(share * trials) - 1] ?? null
  return {
    line: labelOf(line),
    trials,
    median: quantile(0.5),
    mean: led.length === trials ? Math.round(led.reduce((sum, ms) => sum + ms, 0) / trials) : null,
    p99: quantile(0.99),
    max: quantile(1),
    ended: (trials - led.length) / trials,
    endMs,
    paper: line.paper,
  }
}

/** Rows of text, the first of them a head: what the page shows. */
export const tableOf = (figures: ReadonlyArray<Figures>): string => {
  const head = ['timeouts', 'trials', 'median', 'mean', 'p99', 'max', 'no leader', 'paper']
  const rows = figures.map(({ line, trials, median, mean, p99, max, ended, endMs, paper }) => [
    line,
    String(trials),
    ...[median, mean, p99, max].map((ms) => (ms === null ? `> ${grouped(endMs)}` : grouped(ms))),
    `${Math.round(ended * 1_000) / 10} %`,
    paper ?? '–',
  ])
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)))
  const printed = (row: ReadonlyArray<string>): string =>
    row.map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map((row) => `| ${printed(row)} |`).join('\n')
}

/** `12,345`, whatever the locale. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
