import type { ServerResponse } from 'node:http'
import { BehaviorSubject } from 'rxjs'
import { sizeOf } from '../../../src/kv/keyValue.js'
import { type Compacted, refusalMessage } from '../../../src/kv/result.js'
import type { Changes } from '../server/watch.js'
import type { HttpContext } from './httpContext.js'
import { stallTimer } from './stallTimer.js'
import { writeSlices } from './writeSlices.js'
import type { Release } from './byteBudget.js'
import { commaSeparated, inSlicesOf, sliceBytes } from './slices.js'
import { piecesOfChange } from './wireItems.js'

/**
 * A server-sent event with all that a revision changed, in pieces. Without changes it is a sign of life that says from
 * where to resume.
 */
function* eventPieces({ revision, changes }: Changes): Generator<string> {
  if (changes.length === 0) {
    yield `: alive\nid: ${revision}\n\n`
    return
  }
  yield `id: ${revision}\ndata: {"revision":${revision},"events":[`
  yield* commaSeparated(changes, piecesOfChange)
  yield ']}\n\n'
}

/** Bytes that an event keeps in memory. */
const sizeOfEvent = ({ changes }: Changes): number =>
  changes.reduce((bytes, { key, kv }) => bytes + (kv === null ? key.length : sizeOf(kv)), 0)

/**
 * Sends events to a client as fast as it reads. A long event goes out in slices and keeps its values in memory until it
 * is sent; its watch is paused meanwhile.
 */
export const eventStream = ({ options, counted, eventBudget }: HttpContext, res: ServerResponse) => {
  const { scheduler, watchStallMs } = options
  const paused$ = new BehaviorSubject(false)
  let release: Release | undefined
  let isEnding = false

  const cut = (): void => {
    if (res.destroyed) return
    counted.watchesCut++
    res.destroy()
  }
  const client = stallTimer(scheduler, res, watchStallMs, cut)
  const goOn = (): void => {
    client.end()
    paused$.next(false)
  }
  res.on('drain', () => {
    if (release === undefined) goOn()
  })
  res.on('close', () => release?.())

  const sendLong = (changes: Changes, bytes: number): void => {
    paused$.next(true)
    release = eventBudget.hold(changes.revision, bytes, cut)
    writeSlices(scheduler, res, inSlicesOf(eventPieces(changes)), client, () => {
      release?.()
      release = undefined
      if (isEnding) res.end()
      else goOn()
    })
  }

  return {
    /** True while no event may be sent. */
    paused$,
    tell: (changes: Changes): void => {
      if (res.destroyed) return
      const bytes = sizeOfEvent(changes)
      if (bytes > sliceBytes) return sendLong(changes, bytes)
      if (res.write([...eventPieces(changes)].join(''))) return
      paused$.next(true)
      client.begin()
    },
    /** Breaks the connection. */
    cut,
    /** Ends it with a reason, unless that would stand in the middle of an event. */
    fail: (reason: Compacted): void => {
      const { _tag: tag, compactRevision } = reason
      if (release !== undefined) cut()
      else res.end(`event: error\ndata: ${JSON.stringify({ tag, message: refusalMessage(reason), compactRevision })}\n\n`)
    },
    /** Ends it when the event that is being told is told. */
    end: (): void => {
      isEnding = true
      if (release === undefined) res.end()
    },
  }
}
