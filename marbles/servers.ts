import { votersOnly } from '../src/raft/state/configuration.js'
import { logIndex, nodeId, term, writeSeq } from '../src/raft/ids.js'
import { logFrom } from '../src/raft/state/log.js'
import type { RaftEvent } from '../src/raft/event.js'
import { fresh, restart, type Server } from '../src/raft/state/server.js'
import { defaultSettings } from '../src/raft/settings.js'
import { step } from '../src/raft/step.js'

const baseOf = (cluster: ReadonlyArray<string>) => ({ index: logIndex(0), term: term(0), configuration: votersOnly(cluster.map(nodeId)) })

/** `id` as it is before `Started`, in a new cluster. */
export const newServer = (id: string, cluster: ReadonlyArray<string> = [id]): Server =>
  restart(nodeId(id), defaultSettings, fresh(logFrom(baseOf(cluster))))

/** What `events` make of it. */
export const after = (server: Server, ...events: ReadonlyArray<RaftEvent>): Server =>
  events.reduce((now, event) => step(now, event, 0).server, server)

export const started: RaftEvent = { _tag: 'Started' }
export const timedOut = (generation: number): RaftEvent => ({ _tag: 'ElectionTimedOut', generation })
export const heartbeatDue = (generation: number): RaftEvent => ({ _tag: 'HeartbeatDue', generation })
export const persistedEvent = (seq: number): RaftEvent => ({ _tag: 'Persisted', seq: writeSeq(seq) })
