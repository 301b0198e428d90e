import { scenarios } from './scenarios/index.js'

/*
 * Runs in a process of its own, on a source into which a mistake was put back: one scenario after the other, seed by
 * seed. It tells the first find of each check as a line of JSON, so that finds are known even if the mistake makes it
 * run for ever.
 *
 *   node child.mjs seconds seeds scenario …     at most so many of each for each scenario
 */

/** After the first find the others get this part of what it took, and at least so long, to find it too. */
const grace = { factor: 3, atLeastMs: 1_000 }

const [seconds = '20', maxSeeds = '1000', ...names] = process.argv.slice(2)
const tell = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`)

for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
  const startMs = performance.now()
  const missing = new Set(scenario.checks)
  let untilMs = Number(seconds) * 1_000
  let seeds = 0
  while (seeds < Number(maxSeeds) && missing.size > 0 && performance.now() - startMs < untilMs) {
    const violations = await scenario.run(seeds++)
    for (const { check, why } of violations) {
      if (!missing.delete(check)) continue
      const ms = Math.round(performance.now() - startMs)
      if (missing.size === scenario.checks.length - 1) untilMs = Math.min(untilMs, Math.max(grace.atLeastMs, ms * grace.factor))
      tell({ check, seeds, ms, why })
    }
  }
  tell({ scenario: scenario.name, seeds, ms: Math.round(performance.now() - startMs) })
}
