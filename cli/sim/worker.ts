import { simulate } from '../../streams/testing/simulate.js'
import { reportOf, type RunOptions } from './run.js'

/** A process of its own for each core: it is sent a seed, simulates, and sends what came of it. */
process.on('message', ({ seed, options }: { readonly seed: number; readonly options: RunOptions }) => {
  const before = process.cpuUsage()
  const run = simulate(seed, options)
  const { user, system } = process.cpuUsage(before)
  process.send!(reportOf(run, (user + system) / 1_000))
})

// The process that started this one is gone.
process.on('disconnect', () => process.exit())
// Ctrl-C reaches every process of the terminal; the one that started this decides.
process.on('SIGINT', () => undefined)
