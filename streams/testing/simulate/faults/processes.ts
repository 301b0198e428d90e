import { oneOf, some, whole } from '../dice.js'
import type { SimulatedServer } from '../simulatedServer.js'
import type { SimulatedCluster } from '../simulatedCluster.js'
import { type Fault, grown } from './fault.js'

/** One of the servers that run, the leader as often as all others together. */
export const oneRunning = (world: SimulatedCluster, die: () => number): SimulatedServer | null => {
  const running = world.homes.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  const leader = world.leader()
  return leader !== null && die() < 0.5 ? leader : oneOf(die, running)
}

const downMs = { min: 20, max: 4_000 }

/** kill -9: what was handed to the disk is on it. */
const crash: Fault['begin'] = (world, die) => {
  const home = oneRunning(world, die)
  if (home === null) return null
  home.crash('kept', whole(die, downMs))
  return { what: `${home.id} is killed`, bit: () => true, end: () => undefined }
}

/** After a step and before any of its effects: the state moved, and nothing was written or sent. */
const crashInStep: Fault['begin'] = (world, die) => {
  const home = oneRunning(world, die)
  if (home === null) return null
  const life = home.lives
  home.crashAfterSteps = whole(die, { min: 1, max: 30 })
  home.downMs = whole(die, downMs)
  let bit = false
  return {
    what: `${home.id} is killed in the middle of a step`,
    bit: () => (bit ||= home.lives !== life || !home.isUp),
    end: () => {
      home.crashAfterSteps = 0
    },
  }
}

/** Everyone at once, and no disk keeps what it had not acknowledged. */
const blackout: Fault['begin'] = (world, die) => {
  const running = world.homes.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  for (const home of running) home.crash(oneOf(die, ['lost', 'torn', 'kept']), whole(die, downMs))
  return { what: 'the lights go out', bit: () => true, end: () => undefined }
}

/** More than half of the servers at once: nothing can be decided until one of them is back. */
const crashMajority: Fault['begin'] = (world, die) => {
  const running = world.homes.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  const killed = some(die, running, (world.homes.length >> 1) + 1)
  for (const home of killed) home.crash(oneOf(die, ['lost', 'torn', 'kept']), whole(die, downMs))
  return { what: `${killed.map(({ id }) => id).join(' ')} are killed`, bit: () => true, end: () => undefined }
}

const restart: Fault['begin'] = (world, die) => {
  const home = oneRunning(world, die)
  if (home === null) return null
  const life = home.lives
  home.close(whole(die, { min: 1, max: 500 }))
  let bit = false
  return {
    what: `${home.id} is stopped in good order and started again`,
    bit: () => (bit ||= home.lives !== life || !home.isUp),
    end: () => undefined,
  }
}

/** SIGSTOP, or a long stall of the event loop: nothing runs, everything waits. */
const stop =
  (kind: string): Fault['begin'] =>
  (world, die) => {
    const home = oneRunning(world, die)
    if (home === null || home.gate.isStopped) return null
    const forMs = kind === 'stall' ? whole(die, { min: 20, max: 400 }) : whole(die, { min: 400, max: 5_000 })
    home.stop(forMs)
    return {
      what: `${home.id} stands still for ${forMs} ms`,
      bit: grown(() => home.gate.postponed + home.heldMessages()),
      end: () => home.goOn(),
    }
  }

/** The state machine takes its time. */
const slowApplier: Fault['begin'] = (world, die) => {
  const home = oneRunning(world, die)
  const release = home === null ? null : world.claim(`slowApplier ${home.id}`)
  if (home === null || release === null) return null
  home.applierMs = { min: 1, max: whole(die, { min: 5, max: 1_000 }) }
  return {
    what: `the state machine of ${home.id} takes up to ${home.applierMs.max} ms`,
    bit: grown(() => home.slowAnswers),
    end: () => {
      home.applierMs = null
      release()
    },
  }
}

/** What was done is not told: the client tries again. */
const lostAnswer: Fault['begin'] = (world, die) => {
  const release = world.claim('lostAnswer')
  if (release === null) return null
  world.answersLost = oneOf(die, [0.1, 0.5, 0.9])
  return {
    what: `clients miss ${world.answersLost * 100} % of their answers`,
    bit: grown(() => world.lostAnswers),
    end: () => {
      world.answersLost = 0
      release()
    },
  }
}

const instant = { min: 1, max: 10 }

export const processFaults = {
  crash: { weight: 4, forMs: instant, begin: crash },
  crashInStep: { weight: 4, forMs: { min: 200, max: 1_000 }, begin: crashInStep },
  blackout: { weight: 1, forMs: instant, begin: blackout },
  crashMajority: { weight: 1, forMs: instant, begin: crashMajority },
  restart: { weight: 2, forMs: { min: 10, max: 100 }, begin: restart },
  pause: { weight: 3, forMs: { min: 5_000, max: 5_000 }, begin: stop('pause') },
  stall: { weight: 3, forMs: { min: 400, max: 400 }, begin: stop('stall') },
  slowApplier: { weight: 2, forMs: { min: 500, max: 8_000 }, begin: slowApplier },
  lostAnswer: { weight: 2, forMs: { min: 1_000, max: 8_000 }, begin: lostAnswer },
} satisfies Readonly<Record<string, Fault>>
