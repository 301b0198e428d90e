/** What a check says that it found. */
export interface Violation {
  /** The check that saw it. */
  readonly check: string
  readonly why: string
}

/**
 * Something that happens to a cluster, a store or a disk, drawn from a seed, with checks that look at it. The same seed
 * is the same history. Where nothing was put back, no check may find anything, whatever the seed.
 */
export interface Scenario {
  readonly name: string
  /** All that it can find. */
  readonly checks: ReadonlyArray<string>
  readonly run: (seed: number) => ReadonlyArray<Violation> | Promise<ReadonlyArray<Violation>>
}

/** Keeps the first violation of each check. */
export const findings = () => {
  const found = new Map<string, string>()
  return {
    say: (check: string, why: string): void => {
      if (!found.has(check)) found.set(check, why)
    },
    violations: (): ReadonlyArray<Violation> => Array.from(found, ([check, why]) => ({ check, why })),
  }
}

/** Neighbouring seeds fall apart. */
export const spread = (seed: number): number => Math.imul(seed + 1, 0x9e37_79b1) | 0
