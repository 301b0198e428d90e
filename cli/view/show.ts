import { interval, map, merge, type Observable, scan, startWith, type Subscription, throttleTime } from 'rxjs'
import type { Io } from '../io.js'
import { endingKey$ } from './keys.js'
import { lines } from './lines.js'
import { Log } from './log.js'
import { type Beginning, initialView } from './model.js'
import { reduce, type Told } from './reduce.js'
import { Screen } from './screen.js'

export interface Showing {
  readonly io: Io
  /** The only line on stdout is then the last one; what happens goes to stderr. */
  readonly json: boolean
  /** The key for it was pressed. */
  readonly interrupt: () => void
}

/** Between two frames, however much happens. */
const frameMs = 100

/**
 * Shows the servers: a live view in a terminal; elsewhere the addresses for requests and a line for each event. Ends
 * when unsubscribed.
 */
export const show = (told$: Observable<Told>, beginning: Beginning, showing: Showing): Subscription =>
  showing.io.stdout.isTTY && !showing.json ? showView(told$, beginning, showing) : showLines(told$, beginning, showing)

const showView = (told$: Observable<Told>, beginning: Beginning, { io: { env, stdin, stdout }, interrupt }: Showing): Subscription => {
  const second$ = interval(1_000).pipe(map((): Told => ({ _tag: 'Second', at: Date.now() })))
  const first = initialView(beginning)
  const view$ = merge(told$, second$).pipe(
    scan(reduce, first),
    startWith(first),
    throttleTime(frameMs, undefined, { leading: true, trailing: true }),
  )
  const screen = new Screen(stdout, !env['NO_COLOR'])
  const shown = screen.shown(view$).subscribe()
  if (stdin.isTTY) shown.add(endingKey$(stdin, screen.close).subscribe(interrupt))
  return shown
}

const showLines = (told$: Observable<Told>, { title, hint, servers }: Beginning, { io, json }: Showing): Subscription => {
  const log = new Log(json ? io.stderr : io.stdout)
  const endpoints = servers.map(({ server, endpoint }) => `${server} takes requests at ${endpoint}\n`)
  log.write(`rxraft  ${title}\n${endpoints.join('')}try: ${hint}\n`)
  return lines(told$).subscribe((line) => log.write(line))
}
