import { fromEvent, map, merge, type Observable, share } from 'rxjs'
import type { ReadStream, WriteStream } from 'node:tty'

/** The process as commands see it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream | ReadStream
  readonly stdout: NodeJS.WriteStream | WriteStream
  readonly stderr: NodeJS.WriteStream | WriteStream
  /** Emits the signals that ask the command to end: Ctrl-C, a service manager, a closed terminal. */
  readonly interrupt$: Observable<NodeJS.Signals>
}

/**
 * SIGHUP counts only in a terminal: elsewhere `nohup` may have asked to ignore it, and a handler would undo that.
 */
const signals = (): ReadonlyArray<NodeJS.Signals> => (process.stdout.isTTY ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'])

/** As long as nobody subscribes to `interrupt$`, signals do what they always do. */
export const processIo = (): Io => ({
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupt$: merge(...signals().map((signal) => fromEvent(process, signal).pipe(map(() => signal)))).pipe(share()),
})
