import { either } from 'fp-ts'
import type { Command } from '../command.js'
import { done, type Outcome, refused } from '../outcome.js'
import { emptyLedger, type Ledger, openLedger } from '../sim/ledger.js'
import { many } from '../sim/many.js'
import { one } from '../sim/one.js'
import { simSettings, type SimSettings } from '../sim/options.js'
import { WorkerEnded } from '../sim/pool.js'
import { figuresOf, nothing } from '../sim/tally.js'

/** `rxraft sim`: clusters in virtual time, with everything going wrong that can. */
export const sim: Command = async (call) => {
  const settings = simSettings(call)
  if (either.isLeft(settings)) return settings.left
  const { seed, ledger: file } = settings.right
  if (seed !== null) return one(settings.right, seed, call)
  const ledger = file === null ? either.right(emptyLedger) : openLedger(file)
  if (either.isLeft(ledger))
    return refused('LedgerUnusable', `${file ?? ''} is no ledger of simulations, ${ledger.left}: name another file with --ledger.`)
  const known = alreadyKnown(settings.right, ledger.right)
  if (known !== null) return known
  try {
    return await many(settings.right, ledger.right, call.io)
  } catch (error) {
    if (error instanceof WorkerEnded) return refused('WorkerEnded', error.message, { seed: error.seed })
    throw error
  }
}

/** Until so many hours: what the ledger says already. A violation in it is not made good by more hours. */
const alreadyKnown = ({ until, hours, ledger: file }: SimSettings, ledger: Ledger): Outcome | null => {
  if (!until) return null
  const { violation } = ledger
  if (violation !== null)
    return refused(
      'Violation',
      `${file ?? ''} holds a violation, of commit ${violation.commit}, from seed ${violation.firstSeed} on. ${violation.repeat === undefined ? '' : `Repeat it: ${violation.repeat}. `}Its hours do not count: when it is mended begin another ledger.`,
    )
  return ledger.hours < hours
    ? null
    : done(
        { ...figuresOf(nothing), ledgerHours: ledger.hours },
        `${file ?? ''} holds ${ledger.hours.toFixed(2)} hours without a violation, of ${ledger.commits.join(', ')}: nothing is left to do\n`,
      )
}
