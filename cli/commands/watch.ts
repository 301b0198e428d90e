import { either } from 'fp-ts'
import { takeUntil } from 'rxjs'
import { iterate } from '../../streams/rx/iterable.js'
import type { KvChanges } from '../../streams/kv.js'
import { inLine, itemDetails, wholeOption } from '../client/values.js'
import { withClient } from '../client/withClient.js'
import type { Command } from '../command.js'
import { type Details, done, type Json } from '../outcome.js'
import { print } from '../print.js'
import { refusedBy } from '../commandError.js'

type Event = KvChanges['events'][number]

/** `rxraft watch [PREFIX]`. With `--json` a line for each change too; the last line tells how it ended. */
export const watch: Command = async (call) => {
  const {
    args: [prefix = ''],
    settings,
    json,
    io,
  } = call
  const from = wholeOption(call, 'from', null)
  const limit = wholeOption(call, 'limit', Infinity)
  if (either.isLeft(from)) return from.left
  if (either.isLeft(limit)) return limit.left
  return withClient(settings, async (client) => {
    const changes$ = client.watch(prefix, from.right === null ? {} : { fromRevision: from.right }).pipe(takeUntil(io.interrupt$))
    let changes = 0
    let seen: number | null = null
    try {
      for await (const { revision, events } of iterate(changes$)) {
        seen = revision
        for (const event of events) {
          await print(
            io.stdout,
            json
              ? `${JSON.stringify(detailsOf(revision, event))}
`
              : lineOf(revision, event),
          )
          if (++changes >= limit.right) return done({ changes, revision })
        }
      }
    } catch (error) {
      return refusedBy(error)
    }
    return done({ changes, revision: seen })
  })
}

const detailsOf = (revision: number, event: Event): Json => {
  const details: Details = event._tag === 'Put' ? itemDetails(event.item) : { key: event.key }
  return { type: event._tag, revision, ...details }
}

const lineOf = (revision: number, event: Event): string =>
  event._tag === 'Put' ? `${revision}\tPUT\t${event.item.key}\t${inLine(event.item.value)}\n` : `${revision}\tDELETE\t${event.key}\n`
