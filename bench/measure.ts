/**
 * Whole operations per second: after a warm-up, the median of `rounds`. `run(n)` resolves when n operations are done.
 */
export const perSecond = async (run: (operations: number) => Promise<void>, operations: number, rounds = 5): Promise<number> => {
  await run(Math.ceil(operations / 4))
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    await run(operations)
    rates.push((operations / (performance.now() - startMs)) * 1_000)
  }
  return Math.round(median(rates))
}

/** Nanoseconds of one call of `run(i)`: the median of `rounds` after one of them as a warm-up. */
export const nsPerCall = (run: (i: number) => void, calls: number, rounds = 7): number => {
  const round = (): number => {
    const startMs = performance.now()
    for (let i = 0; i < calls; i++) run(i)
    return ((performance.now() - startMs) / calls) * 1e6
  }
  round()
  return Math.round(median(Array.from({ length: rounds }, round)))
}

export const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/**
 * Keeps `concurrency` operations under way until `total` are done, each followed by the next as soon
 * as it is acknowledged by itself. `operation` gives what starts one, which calls `done` once.
 */
export const keepUnderWay = (
  concurrency: number,
  total: number,
  operation: (done: () => void, failed: (reason: unknown) => void) => () => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    let started = 0
    let done = 0
    // One function for all, so that what is measured is not the measuring.
    const start = operation(() => {
      if (++done === total) resolve()
      else next()
    }, reject)
    const next = (): void => {
      if (started === total) return
      started++
      start()
    }
    for (let i = 0; i < concurrency; i++) next()
  })
