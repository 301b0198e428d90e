import { oneOf, some, whole } from '../dice.js'
import { type Fault, grown } from './fault.js'
import { oneRunning } from './processes.js'

const rates = [0.1, 0.5, 0.9, 1.1, 2, 10] as const

/** The clocks of one server or of several run too fast or too slow, each in its own way. */
const clockRate: Fault['begin'] = (world, die) => {
  const one = oneRunning(world, die)
  const release = one === null ? null : world.claim('clockRate')
  if (one === null || release === null) return null
  const homes = die() < 0.5 ? [one] : some(die, world.homes, whole(die, { min: 1, max: world.homes.length }))
  const chosen = homes.map((home) => ({ home, rate: oneOf(die, rates) }))
  for (const { home, rate } of chosen) home.clock.setRate(rate)
  return {
    what: `clocks run at another rate: ${chosen.map(({ home, rate }) => `${home.id} × ${rate}`).join(', ')}`,
    bit: grown(() => homes.reduce((sum, { clock }) => sum + clock.moved, 0)),
    end: () => {
      for (const { clock } of homes) clock.setRate(1)
      release()
    },
  }
}

export const clockFaults = {
  clockRate: { weight: 3, forMs: { min: 500, max: 8_000 }, begin: clockRate },
} satisfies Readonly<Record<string, Fault>>
