import { oneOf, some, whole } from '../dice.js'
import { type Fault, grown } from './fault.js'
import { oneRunning } from './processes.js'

const rates = [0.1, 0.5, 0.9, 1.1, 2, 10] as const

/** The clocks of one server or of several run too fast or too slow, each at its own rate. */
const clockRate: Fault['begin'] = (cluster, die) => {
  const one = oneRunning(cluster, die)
  const release = one === null ? null : cluster.claim('clockRate')
  if (one === null || release === null) return null
  const chosen = die() < 0.5 ? [one] : some(die, cluster.servers, whole(die, { min: 1, max: cluster.servers.length }))
  const rated = chosen.map((server) => ({ server, rate: oneOf(die, rates) }))
  for (const { server, rate } of rated) server.clock.setRate(rate)
  return {
    what: `clocks run at another rate: ${rated.map(({ server, rate }) => `${server.id} × ${rate}`).join(', ')}`,
    hadEffect: grown(() => chosen.reduce((sum, { clock }) => sum + clock.moved, 0)),
    end: () => {
      for (const { clock } of chosen) clock.setRate(1)
      release()
    },
  }
}

export const clockFaults = {
  clockRate: { weight: 3, forMs: { min: 500, max: 8_000 }, begin: clockRate },
} satisfies Readonly<Record<string, Fault>>
