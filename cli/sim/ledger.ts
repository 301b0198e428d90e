import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** A line of the ledger: seeds that were run, one after the other, and what came of them. */
export interface LedgerLine {
  /** What was simulated: the commit, or the version where there is no repository. */
  readonly commit: string
  readonly firstSeed: number
  readonly seeds: number
  readonly hours: number
  readonly operations: number
  readonly violations: number
}

export interface Ledger {
  readonly hours: number
  /** The seed to go on with. */
  readonly nextSeed: number
}

export const ledgerOf = (text: string): Ledger | null => {
  let hours = 0
  let nextSeed = 1
  for (const line of text.split('\n').filter((line) => line !== '')) {
    try {
      const { hours: more, firstSeed, seeds } = JSON.parse(line) as LedgerLine
      if (![more, firstSeed, seeds].every((n) => Number.isFinite(n) && n >= 0)) return null
      hours += more
      nextSeed = Math.max(nextSeed, firstSeed + seeds)
    } catch {
      return null
    }
  }
  return { hours, nextSeed }
}

export const readLedger = (file: string): Ledger | null => (existsSync(file) ? ledgerOf(readFileSync(file, 'utf8')) : ledgerOf(''))

export const writeLedger = (file: string, line: LedgerLine): void => appendFileSync(file, `${JSON.stringify(line)}\n`)

/** The commit that this is, `+` after it where the files differ from it; null where that cannot be found out. */
export const commitHere = (directory: string): string | null => {
  const git = (...args: ReadonlyArray<string>): string =>
    execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8', stdio: 'pipe' })
  try {
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`
  } catch {
    return null
  }
}
