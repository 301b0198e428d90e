import { oneOf, some, whole } from '../dice.js'
import type { SimulatedServer } from '../simulatedServer.js'
import type { SimulatedCluster } from '../simulatedCluster.js'
import { type Fault, grown } from './fault.js'

const namesOf = (servers: ReadonlyArray<SimulatedServer>): string => servers.map(({ id }) => id).join(' ')

/** A fault of every link, such as loss. One of a kind at a time. */
const everywhere =
  (kind: 'loss' | 'duplication' | 'reordering', count: 'lost' | 'duplicated' | 'reordered'): Fault['begin'] =>
  ({ network, claim }, die) => {
    const release = claim(kind)
    if (release === null) return null
    const probability = oneOf(die, [0.02, 0.1, 0.3, 0.6])
    network.setFaults({ [kind]: probability })
    return {
      what: `${kind} of ${probability * 100} %`,
      hadEffect: grown(() => network.stats[count]),
      end: () => {
        network.setFaults({ [kind]: 0 })
        release()
      },
    }
  }

const delay: Fault['begin'] = ({ network, claim, conditions }, die) => {
  const release = claim('delay')
  if (release === null) return null
  const min = whole(die, { min: 10, max: 100 })
  const delayMs = { min, max: min + whole(die, { min: 0, max: 200 }) }
  network.setFaults({ delayMs })
  return {
    what: `messages take ${delayMs.min} to ${delayMs.max} ms`,
    hadEffect: grown(() => network.stats.sent),
    end: () => {
      network.setFaults({ delayMs: conditions.calmDelayMs })
      release()
    },
  }
}

/**
 * Links that pass nothing. There is one partition at a time, so that every message that is cut is known to be its own.
 */
const partition =
  (
    cuts: (
      cluster: SimulatedCluster,
      die: () => number,
    ) => { readonly what: string; readonly cut: ReadonlyArray<readonly [SimulatedServer, SimulatedServer]> } | null,
  ): Fault['begin'] =>
  (cluster, die) => {
    const release = cluster.claim('partition')
    if (release === null) return null
    const chosen = cuts(cluster, die)
    if (chosen === null) {
      release()
      return null
    }
    const { network } = cluster
    for (const [from, to] of chosen.cut) network.cutOneWay(from.id, to.id)
    return {
      what: chosen.what,
      hadEffect: grown(() => network.stats.cut),
      end: () => {
        for (const [from, to] of chosen.cut) network.mend(from.id, to.id)
        release()
      },
    }
  }

const bothWays = (a: SimulatedServer, b: SimulatedServer): ReadonlyArray<readonly [SimulatedServer, SimulatedServer]> => [
  [a, b],
  [b, a],
]

/** Nothing passes between the groups. */
const apart = (some: ReadonlyArray<SimulatedServer>, others: ReadonlyArray<SimulatedServer>) =>
  some.flatMap((a) => others.flatMap((b) => bothWays(a, b)))

const without = (servers: ReadonlyArray<SimulatedServer>, gone: ReadonlyArray<SimulatedServer>): ReadonlyArray<SimulatedServer> =>
  servers.filter((server) => !gone.includes(server))

const isolate = partition(({ servers }, die) => {
  const one = oneOf(die, servers)
  return { what: `${one.id} alone`, cut: apart([one], without(servers, [one])) }
})

/** A minority apart, with the leader in it or without. */
const minority = (withLeader: boolean): Fault['begin'] =>
  partition((cluster, die) => {
    const { servers } = cluster
    const leader = cluster.leader()
    if (leader === null) return null
    const size = whole(die, { min: 1, max: (servers.length - 1) >> 1 })
    const followers = without(servers, [leader])
    const few = withLeader ? [leader, ...some(die, followers, size - 1)] : some(die, followers, size)
    return {
      what: `${namesOf(few)} apart, ${withLeader ? 'the leader among them' : `${leader.id} leads the others`}`,
      cut: apart(few, without(servers, few)),
    }
  })

/** The leader, if there is one, is at one of the ends: two followers send each other nothing. */
const oneWay = partition((cluster, die) => {
  const { servers } = cluster
  const one = oneOf(die, servers)
  const chosen = some(die, without(servers, [one]), whole(die, { min: 1, max: servers.length - 1 }))
  const leader = cluster.leader()
  const others = leader === null || leader === one || chosen.includes(leader) ? chosen : [...chosen, leader]
  const deaf = die() < 0.5
  return {
    what: deaf ? `${one.id} does not hear ${namesOf(others)}` : `${one.id} is not heard by ${namesOf(others)}`,
    cut: others.map((other) => (deaf ? [other, one] : [one, other])),
  }
})

/** Two halves that see each other only through one server. */
const bridge = partition(({ servers }, die) => {
  const [middle, ...others] = some(die, servers, servers.length)
  const half = others.length >> 1
  const [left, right] = [others.slice(0, half), others.slice(half)]
  return { what: `${namesOf(left)} and ${namesOf(right)} see each other only through ${middle!.id}`, cut: apart(left, right) }
})

/** Each server sees a majority, and no two see the same one. With three servers each would see all. */
const majorityRing = partition(({ servers }, die) => {
  if (servers.length < 5) return null
  const ring = some(die, servers, servers.length)
  const reach = (servers.length - 1) >> 2
  const cut = ring.flatMap((a, i) =>
    ring.flatMap((b, j) => {
      const distance = Math.min(Math.abs(i - j), ring.length - Math.abs(i - j))
      return distance > Math.max(1, reach) ? [[a, b] as const] : []
    }),
  )
  return { what: `a ring: ${namesOf(ring)}`, cut }
})

/** To the leader or from it, if there is one: two followers send each other hardly anything. */
const slowLink: Fault['begin'] = (cluster, die) => {
  const { network, servers } = cluster
  const release = cluster.claim('slowLink')
  if (release === null) return null
  const one = cluster.leader() ?? oneOf(die, servers)
  const other = oneOf(die, without(servers, [one]))
  const [from, to] = some(die, [one, other], 2)
  const min = whole(die, { min: 20, max: 400 })
  network.slow(from!.id, to!.id, { min, max: min + whole(die, { min: 0, max: 200 }) })
  return {
    what: `${from!.id} → ${to!.id} takes ${min} ms more`,
    hadEffect: grown(() => network.stats.slowed),
    end: () => {
      network.slow(from!.id, to!.id, null)
      release()
    },
  }
}

/** Every connection of one server breaks. */
const reset: Fault['begin'] = ({ network, servers, observer }, die) => {
  const one = oneOf(die, servers)
  const hadEffect = grown(() => observer.unreachable)
  for (const other of without(servers, [one])) network.reset(one.id, other.id)
  return { what: `connections of ${one.id} are reset`, hadEffect, end: () => undefined }
}

const partitionMs = { min: 200, max: 6_000 }
const noiseMs = { min: 500, max: 8_000 }

export const networkFaults = {
  drop: { weight: 3, forMs: noiseMs, begin: everywhere('loss', 'lost') },
  duplicate: { weight: 3, forMs: noiseMs, begin: everywhere('duplication', 'duplicated') },
  reorder: { weight: 3, forMs: noiseMs, begin: everywhere('reordering', 'reordered') },
  delay: { weight: 3, forMs: noiseMs, begin: delay },
  isolate: { weight: 3, forMs: partitionMs, begin: isolate },
  oneWayCut: { weight: 3, forMs: partitionMs, begin: oneWay },
  bridge: { weight: 2, forMs: partitionMs, begin: bridge },
  majorityRing: { weight: 2, forMs: partitionMs, begin: majorityRing },
  leaderInMinority: { weight: 4, forMs: partitionMs, begin: minority(true) },
  leaderInMajority: { weight: 3, forMs: partitionMs, begin: minority(false) },
  slowLink: { weight: 2, forMs: noiseMs, begin: slowLink },
  reset: { weight: 3, forMs: { min: 50, max: 200 }, begin: reset },
} satisfies Readonly<Record<string, Fault>>
