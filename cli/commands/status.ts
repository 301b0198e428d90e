import { either } from 'fp-ts'
import { ask, type Asked, statusTable } from '../client/status.js'
import { endpointsOf } from '../client/withClient.js'
import type { Command } from '../command.js'
import { type Details, done, type Json, refused } from '../outcome.js'
import { print } from '../print.js'

/** `rxraft status`. */
export const status: Command = async ({ settings, json, io }) => {
  const { timeoutMs = 2_000 } = settings
  const asked = await Promise.all(endpointsOf(settings).map((endpoint) => ask(endpoint, timeoutMs)))
  const leaders = asked.flatMap(({ answer }) =>
    either.isRight(answer) && answer.right.standing.leader !== null ? [answer.right.standing] : [],
  )
  // Servers that were cut off may name a former one.
  const leader = leaders.sort((a, b) => b.term - a.term)[0]?.leader ?? null
  const details: Details = { leader, servers: asked.map(detailsOf) }
  if (leader !== null) return done(details, statusTable(asked))
  if (!json) await print(io.stdout, statusTable(asked))
  return asked.every(({ answer }) => either.isLeft(answer))
    ? refused(
        'Unavailable',
        'No server answers. Are they running? `rxraft start` starts three; --endpoints says where others are.',
        details,
      )
    : refused('NoLeader', 'No leader is known: check that a majority of the servers runs and that they reach each other.', details)
}

const detailsOf = ({ endpoint, answer }: Asked): Details =>
  either.isLeft(answer) ? { endpoint, error: answer.left } : { endpoint, ...(answer.right.body as Readonly<Record<string, Json>>) }
