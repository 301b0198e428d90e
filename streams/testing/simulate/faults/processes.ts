import { oneOf, some, whole } from '../dice.js'
import type { SimulatedServer } from '../simulatedServer.js'
import type { SimulatedCluster } from '../simulatedCluster.js'
import { type Fault, grown } from './fault.js'

/** One of the servers that run: the leader as often as all others together. */
export const oneRunning = (cluster: SimulatedCluster, die: () => number): SimulatedServer | null => {
  const running = cluster.servers.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  const leader = cluster.leader()
  return leader !== null && die() < 0.5 ? leader : oneOf(die, running)
}

const downMs = { min: 20, max: 4_000 }

/** kill -9: writes that the disk was given are on it. */
const crash: Fault['begin'] = (cluster, die) => {
  const server = oneRunning(cluster, die)
  if (server === null) return null
  server.crash('kept', whole(die, downMs))
  return { what: `${server.id} is killed`, hadEffect: () => true, end: () => undefined }
}

/** After a step and before its effects: the state has changed, and nothing was written or sent. */
const crashInStep: Fault['begin'] = (cluster, die) => {
  const server = oneRunning(cluster, die)
  if (server === null) return null
  const life = server.lives
  server.crashAfterSteps = whole(die, { min: 1, max: 30 })
  server.downMs = whole(die, downMs)
  let hadEffect = false
  return {
    what: `${server.id} is killed in the middle of a step`,
    hadEffect: () => (hadEffect ||= server.lives !== life || !server.isUp),
    end: () => {
      server.crashAfterSteps = 0
    },
  }
}

/** All servers crash at once. A disk may lose a write that it has not acknowledged. */
const blackout: Fault['begin'] = (cluster, die) => {
  const running = cluster.servers.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  for (const server of running) server.crash(oneOf(die, ['lost', 'torn', 'kept']), whole(die, downMs))
  return { what: 'the lights go out', hadEffect: () => true, end: () => undefined }
}

/** More than half of the servers crash at once: nothing can be committed until one of them is back. */
const crashMajority: Fault['begin'] = (cluster, die) => {
  const running = cluster.servers.filter(({ isUp }) => isUp)
  if (running.length === 0) return null
  const killed = some(die, running, (cluster.servers.length >> 1) + 1)
  for (const server of killed) server.crash(oneOf(die, ['lost', 'torn', 'kept']), whole(die, downMs))
  return { what: `${killed.map(({ id }) => id).join(' ')} are killed`, hadEffect: () => true, end: () => undefined }
}

const restart: Fault['begin'] = (cluster, die) => {
  const server = oneRunning(cluster, die)
  if (server === null) return null
  const life = server.lives
  server.close(whole(die, { min: 1, max: 500 }))
  let hadEffect = false
  return {
    what: `${server.id} is stopped in good order and started again`,
    hadEffect: () => (hadEffect ||= server.lives !== life || !server.isUp),
    end: () => undefined,
  }
}

/** SIGSTOP, or a long stall of the event loop: nothing runs, and everything waits. */
const stop =
  (kind: string): Fault['begin'] =>
  (cluster, die) => {
    const server = oneRunning(cluster, die)
    if (server === null || server.gate.isStopped) return null
    const forMs = kind === 'stall' ? whole(die, { min: 20, max: 400 }) : whole(die, { min: 400, max: 5_000 })
    server.stop(forMs)
    return {
      what: `${server.id} stands still for ${forMs} ms`,
      hadEffect: grown(() => server.gate.postponed + server.heldMessages()),
      end: () => server.goOn(),
    }
  }

/** The state machine is slow. */
const slowApplier: Fault['begin'] = (cluster, die) => {
  const server = oneRunning(cluster, die)
  const release = server === null ? null : cluster.claim(`slowApplier ${server.id}`)
  if (server === null || release === null) return null
  server.applierMs = { min: 1, max: whole(die, { min: 5, max: 1_000 }) }
  return {
    what: `the state machine of ${server.id} takes up to ${server.applierMs.max} ms`,
    hadEffect: grown(() => server.slowAnswers),
    end: () => {
      server.applierMs = null
      release()
    },
  }
}

/** A command is applied, and its client does not hear of it: the client tries again. */
const lostAnswer: Fault['begin'] = (cluster, die) => {
  const release = cluster.claim('lostAnswer')
  if (release === null) return null
  const { clients } = cluster
  clients.loss = oneOf(die, [0.1, 0.5, 0.9])
  const [answersBefore, enough] = [clients.answers, 1 / clients.loss]
  return {
    what: `clients miss ${clients.loss * 100} % of their answers`,
    // A cluster that answers no operation meanwhile has no answer to lose.
    hadChance: () => clients.answers - answersBefore >= enough,
    hadEffect: grown(() => clients.lostAnswers),
    end: () => {
      clients.loss = 0
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
