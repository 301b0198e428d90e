import { EMPTY, map, mergeMap, type Observable } from 'rxjs'
import { clock } from './format.js'
import { harmless } from './paint.js'
import type { Happened, Told } from './reduce.js'

/** The same line of the same server is told again after so long. */
const againMs = 60_000
/** Lines that are remembered for this; beyond it all are forgotten, and so told again. */
const maxRemembered = 1_000

/** What happens, a line each, for where there is no terminal: a log that somebody greps. */
export const lines = (told$: Observable<Told>): Observable<string> => {
  const toldAt = new Map<string, number>()
  const isNews = ({ at, server, text }: Happened): boolean => {
    const name = `${server} ${text}`
    const before = toldAt.get(name)
    if (before !== undefined && at - before < againMs) return false
    if (toldAt.size >= maxRemembered) toldAt.clear()
    toldAt.set(name, at)
    return true
  }
  return told$.pipe(
    mergeMap((told) => (told._tag === 'Happened' && isNews(told) ? [told] : EMPTY)),
    map(({ at, server, text }) => `${clock(at)}  ${server}  ${harmless(text)}\n`),
  )
}
