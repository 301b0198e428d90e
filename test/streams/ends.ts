import { afterEach, beforeEach } from '@jest/globals'
import { config, type Observable } from 'rxjs'
import { seen, type Server } from './cluster.js'

/** In every test of the file that calls it: an error that nobody handles, which would end a program, fails the test. */
export const failOnUnhandledErrors = (): { readonly take: () => Promise<ReadonlyArray<unknown>> } => {
  let unhandled: unknown[] = []
  /** RxJS reports them in a timeout of its own. */
  const reported = () => new Promise((resolve) => setTimeout(resolve))
  beforeEach(() => {
    config.onUnhandledError = (error) => unhandled.push(error)
  })
  afterEach(async () => {
    await reported()
    config.onUnhandledError = null
    if (unhandled.length > 0) throw unhandled[0]
  })
  return {
    /** Those there were, where there should be some. */
    take: async () => {
      await reported()
      const taken = unhandled
      unhandled = []
      return taken
    },
  }
}

export const streamsOf = (server: Server): ReadonlyArray<Observable<unknown>> => [
  server.state$,
  server.role$,
  server.leader$,
  server.apply$,
  server.applyFrom(0),
  server.rejected$,
  server.metrics$,
  server.inspect$,
  server.stopped$,
]

/** How each of its streams ends, for who watched and for who comes late. */
export const ends = (watched: ReadonlyArray<ReadonlyArray<unknown>>, server: Server): ReadonlyArray<unknown> =>
  [...watched, ...streamsOf(server).map((stream$) => seen(stream$))].map((values) => values.at(-1))
export const allComplete = Array.from({ length: 18 }, () => '|')
