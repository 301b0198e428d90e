import { execFileSync } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { either } from 'fp-ts'

/** A line of the ledger: seeds that were run, one after the other, and what came of them. */
export interface LedgerLine {
  /** What was simulated: the commit, or the version where there is no repository. */
  readonly commit: string
  readonly firstSeed: number
  readonly seeds: number
  /** The seed after the last that was begun; without it, the one after `seeds` of them. */
  readonly nextSeed?: number
  readonly hours: number
  readonly operations: number
  readonly violations: number
  /** The command that repeats the violation. */
  readonly repeat?: string
}

export interface Ledger {
  readonly hours: number
  /** The seed to go on with. */
  readonly nextSeed: number
  /** Each once, in the order in which they were simulated first. */
  readonly commits: ReadonlyArray<string>
  /** The first line that tells of a violation. */
  readonly violation: LedgerLine | null
}

export const emptyLedger: Ledger = { hours: 0, nextSeed: 1, commits: [], violation: null }

const isLine = (value: unknown): value is LedgerLine => {
  if (typeof value !== 'object' || value === null) return false
  const { hours, firstSeed, seeds, violations = 0, nextSeed = 0 } = value as Partial<LedgerLine>
  return [hours, firstSeed, seeds, violations, nextSeed].every((n) => Number.isFinite(n) && n! >= 0)
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** What a ledger comes to, or what is wrong with it. */
export const ledgerOf = (text: string): either.Either<string, Ledger> => {
  let ledger = emptyLedger
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const value = parsed(line)
    if (!isLine(value)) return either.left(`line ${i + 1} is no account of a simulation`)
    const { hours, commits, nextSeed, violation } = ledger
    ledger = {
      hours: hours + value.hours,
      nextSeed: Math.max(nextSeed, value.nextSeed ?? value.firstSeed + value.seeds),
      commits: commits.includes(value.commit) ? commits : [...commits, value.commit],
      violation: violation ?? (value.violations > 0 ? value : null),
    }
  }
  return either.right(ledger)
}

/** Reads it and makes sure that it can be written to: hours of work must not be lost for that at their end. */
export const openLedger = (file: string): either.Either<string, Ledger> =>
  either.flatMap(
    either.tryCatch(
      () => {
        closeSync(openSync(file, 'a'))
        return readFileSync(file, 'utf8')
      },
      (error) => `it cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)} in ${dirname(file)}`,
    ),
    ledgerOf,
  )

/** A line of its own, whatever somebody else's last line ended with. */
export const writeLedger = (file: string, line: LedgerLine): void => {
  const text = readFileSync(file, 'utf8')
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${JSON.stringify(line)}\n`)
}

/**
 * Names the code that is simulated: its commit, followed by `+` if the files differ from that commit. An installed
 * package has no commit of its own: then it is the package's version.
 */
export const commitHere = (root: string): string => {
  const git = (...args: ReadonlyArray<string>): string => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' })
  try {
    if (git('rev-parse', '--show-prefix').trim() !== '') throw new Error('a part of another repository')
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`
  } catch {
    return (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { readonly version: string }).version
  }
}
