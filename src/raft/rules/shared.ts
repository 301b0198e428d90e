import type { EffectOf } from '../effect.js'
import { messageSeq, type MessageSeq } from '../ids.js'
import type { ServerDraft } from '../state/server.js'

/** Small functions that several rules share. Three of them give out the next number of `counters`. */

export const nextMessage = (server: ServerDraft): MessageSeq => {
  const messages = messageSeq(server.counters.messages + 1)
  server.counters = server.counters.with({ messages })
  return messages
}

export const armElectionTimer = (server: ServerDraft): EffectOf<'ArmElectionTimer'> => {
  const electionTimer = server.counters.electionTimer + 1
  server.counters = server.counters.with({ electionTimer })
  return { _tag: 'ArmElectionTimer', generation: electionTimer }
}

export const armHeartbeat = (server: ServerDraft): EffectOf<'ArmHeartbeat'> => {
  const heartbeat = server.counters.heartbeat + 1
  server.counters = server.counters.with({ heartbeat })
  return { _tag: 'ArmHeartbeat', generation: heartbeat }
}

export const scheduleFlush: EffectOf<'ScheduleFlush'> = { _tag: 'ScheduleFlush' }
