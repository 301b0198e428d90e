import { commandEntry } from '../../src/raft/state/entry.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, type NodeId, nodeId, term, type WriteSeq, writeSeq } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import { printEffect, printMessage, printServer, printStep } from '../../src/raft/print.js'
import type { Progress } from '../../src/raft/state/progress.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import type { Step } from '../../src/raft/step.js'
import { utf8 } from '../wire/codec.js'
import { ClusterByHand, lastIndexOf } from './cluster.js'
import { comeToRest, settle } from './settle.js'

/*
 * What each command of a transcript does (transcript.ts says it for those who write one), and the
 * words that it is made of.
 */

/** Does what the words after its name say, and answers with what came of it. */
export type Command = (cluster: ClusterByHand, words: ReadonlyArray<string>) => ReadonlyArray<string>

/** `3 leaderNoop=false` */
export const clusterOf = ([size = '', ...settings]: ReadonlyArray<string>): ClusterByHand => {
  const given = settings.map((setting): Partial<Settings> => {
    const [name = '', value = ''] = setting.split('=')
    if (!Object.hasOwn(defaultSettings, name))
      throw new Error(`there is no setting ${name}: there are ${Object.keys(defaultSettings).join(', ')}`)
    return { [name]: value === 'true' || value === 'false' ? value === 'true' : count(value) }
  })
  return new ClusterByHand({ size: count(size), settings: Object.assign({}, ...given) as Partial<Settings> })
}

export const commands: Readonly<Record<string, Command>> = {
  propose: (cluster, [id, ...texts]) =>
    happens(cluster, server(id), { _tag: 'Proposed', request: cluster.nextRequest(), commands: texts.map(utf8.encode) }),
  recover: (cluster, [id, ...words]) => {
    const recovered = server(id)
    const valueOf = (name: string): string | undefined => words[words.indexOf(name) + 1]
    const has = (name: string): boolean => words.includes(name)
    const terms = has('log') ? words.slice(words.indexOf('log') + 1).map(count) : []
    // Equal index and term mean equal entries (Log Matching), so the command is made of these two.
    const entries = terms.map((t, i) => commandEntry(term(t), utf8.encode(`${i + 1}@${t}`)))
    cluster.crash(recovered)
    cluster.restart(recovered, {
      currentTerm: term(count(words.find((word) => /^T\d/.test(word))?.slice(1) ?? '0')),
      votedFor: has('vote') ? server(valueOf('vote')) : null,
      log: logFrom(cluster.at(recovered).disk.log.base, entries),
      commitIndex: logIndex(has('commit') ? count(valueOf('commit')) : 0),
      snapshot: null,
    })
    return states(cluster, [recovered])
  },
  timeout: (cluster, [id]) => happens(cluster, server(id), { _tag: 'ElectionTimedOut', generation: cluster.at(server(id)).electionTimer }),
  elect: (cluster, [id]) => {
    for (let attempts = 0; cluster.server(server(id)).role._tag !== 'Leader'; attempts++) {
      if (attempts === cluster.ids.length) throw new Error(`${id} is not elected in ${attempts} attempts`)
      cluster.happens(server(id), { _tag: 'ElectionTimedOut', generation: cluster.at(server(id)).electionTimer })
      comeToRest(cluster)
    }
    return states(cluster, cluster.ids)
  },
  heartbeat: (cluster, [id]) => happens(cluster, server(id), { _tag: 'HeartbeatDue', generation: cluster.at(server(id)).heartbeatTimer }),
  flush: (cluster, [id]) => {
    cluster.at(server(id)).flushDue = false
    return happens(cluster, server(id), { _tag: 'Flush' })
  },
  persist: (cluster, [id, seq]) => {
    const { step, released } = cluster.persist(server(id), ...(seq === undefined ? [] : [write(seq)]))
    return [
      ...released.map((message) => `released ${printMessage(message)}`),
      ...printed({ _tag: 'Persisted', seq: step.server.writeProgress.acknowledged }, step),
    ]
  },
  slow: (cluster, [id]) => {
    cluster.at(server(id)).slowDisk = true
    return []
  },
  fast: (cluster, [id]) => {
    cluster.at(server(id)).slowDisk = false
    return []
  },
  apply: (cluster, [id]) => {
    const handServer = cluster.at(server(id))
    const { applying } = handServer
    handServer.applying = []
    return applying.flatMap((effect) => happens(cluster, handServer.id, { _tag: 'Applied', index: lastIndexOf(effect) }))
  },
  snapshot: (cluster, [id, index]) => {
    const step = cluster.takeSnapshot(server(id), logIndex(count(index)))
    return printedAfter(step)
  },
  store: (cluster, [id]) => {
    const lines: string[] = []
    const { snapshotWork } = cluster.at(server(id))
    for (const work of snapshotWork) lines.push(printEffect(work), ...printedAfter(cluster.store(server(id))))
    return lines
  },
  deliver: (cluster, words) => {
    const { from, to, nth } = onItsWay(words)
    return happens(cluster, to, { _tag: 'Received', message: cluster.take(from, to, nth) })
  },
  drop: (cluster, words) => {
    const { from, to, nth } = onItsWay(words)
    return [`lost ${printMessage(cluster.take(from, to, nth))}`]
  },
  duplicate: (cluster, words) => {
    const { from, to, nth } = onItsWay(words)
    const message = cluster.between(from, to)[nth - 1] ?? cluster.take(from, to, nth)
    cluster.post(message)
    return [`doubled ${printMessage(message)}`]
  },
  unreachable: (cluster, [id, peer]) => happens(cluster, server(id), { _tag: 'Unreachable', peer: server(peer) }),
  crash: (cluster, [id, seq]) => {
    const { unsynced } = cluster.at(server(id))
    const survive = seq === undefined ? 0 : unsynced.filter((record) => record.seq <= write(seq)).length
    cluster.crash(server(id), survive)
    return []
  },
  restart: (cluster, [id]) => printed({ _tag: 'Started' }, cluster.restart(server(id))),
  cut: (cluster, words) => {
    const bar = words.indexOf('|')
    if (bar < 0) throw new Error('write a | between the two sides: cut n1 n2 | n3')
    cluster.cut(words.slice(0, bar).map(server), words.slice(bar + 1).map(server))
    return []
  },
  heal: (cluster) => {
    cluster.heal()
    return []
  },
  settle: (cluster) => [`${settle(cluster)} leads`, ...states(cluster, cluster.ids)],
  state: (cluster, ids) => states(cluster, ids.length === 0 ? cluster.ids : ids.map(server)),
  followers: (cluster, [id]) => {
    const { role } = cluster.server(server(id))
    return role._tag === 'Leader' ? role.followers.map(printProgress) : [`${id} does not lead`]
  },
  network: (cluster) => {
    const messages = cluster.ids.flatMap((from) => cluster.ids.flatMap((to) => cluster.between(from, to)))
    return messages.length === 0 ? ['nothing is under way'] : messages.map(printMessage)
  },
}

const happens = (cluster: ClusterByHand, id: NodeId, event: RaftEvent): ReadonlyArray<string> => printed(event, cluster.happens(id, event))

const printed = (event: RaftEvent, step: Step): ReadonlyArray<string> => printStep(event, step).split('\n')

const printedAfter = ({ server, effects }: Step): ReadonlyArray<string> => [
  ...effects.map((effect) => `  ${printEffect(effect)}`),
  `  ${printServer(server)}`,
]

const states = (cluster: ClusterByHand, ids: ReadonlyArray<NodeId>): ReadonlyArray<string> =>
  ids.map((id) => {
    const { server } = cluster.at(id)
    return server === null ? `${id} down` : printServer(server)
  })

const printProgress = ({ id, nextIndex, matchIndex, flow, inflight }: Progress): string =>
  `${id} ${flow.padEnd(9)} next ${nextIndex} match ${matchIndex} inflight ${inflight.length}`

const onItsWay = ([from, arrow, to, nth = '#1']: ReadonlyArray<string>): {
  readonly from: NodeId
  readonly to: NodeId
  readonly nth: number
} => {
  if (arrow !== '→' && arrow !== '->') throw new Error('write from whom and to whom: n1 → n2')
  return { from: server(from), to: server(to), nth: number(nth) }
}

const server = (word: string | undefined): NodeId => {
  if (word === undefined) throw new Error('write which server: n1')
  return nodeId(word)
}
const count = (word: string | undefined): number => {
  if (word === undefined || !/^\d+$/.test(word)) throw new Error(`${word ?? 'the end of the line'} is no number`)
  return Number(word)
}
/** `#3` */
const number = (word: string): number => count(word.replace(/^#/, ''))
const write = (word: string): WriteSeq => writeSeq(number(word))
