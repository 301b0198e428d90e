import { either } from 'fp-ts'
import type { Command } from '../command.js'
import { refused } from '../outcome.js'
import { readLedger } from '../sim/ledger.js'
import { many } from '../sim/many.js'
import { one } from '../sim/one.js'
import { simSettings } from '../sim/options.js'
import { WorkerEnded } from '../sim/pool.js'

/** `rxraft sim`: clusters in virtual time, with everything going wrong that can. */
export const sim: Command = async (call) => {
  const settings = simSettings(call)
  if (either.isLeft(settings)) return settings.left
  const { seed, ledger: file } = settings.right
  if (seed !== null) return one(settings.right, seed, call)
  const ledger = file === null ? { hours: 0, nextSeed: 1 } : readLedger(file)
  if (ledger === null) return refused('Unreadable', `${file ?? ''} is no ledger of simulations: name another file with --ledger.`)
  try {
    return await many(settings.right, ledger, call.io)
  } catch (error) {
    if (error instanceof WorkerEnded) return refused('WorkerEnded', error.message, { seed: error.seed })
    throw error
  }
}
