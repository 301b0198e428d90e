import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { filter, firstValueFrom, fromEvent, merge, type Observable, ReplaySubject, Subject, takeUntil } from 'rxjs'

const bin = fileURLToPath(new URL('../../bin/rxraft.js', import.meta.url))

/** What a command came to. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of `rxraft` that is running. */
export class Running {
  /** Of both outputs; the last thousand. */
  private readonly line$ = new ReplaySubject<string>(1_000)
  readonly exited: Promise<Ran>
  private stdout = ''
  private stderr = ''

  constructor(readonly child: ChildProcess) {
    this.exited = once(child, 'close').then(([code]) => {
      this.line$.complete()
      living.delete(this)
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr }
    })
    living.add(this)
    child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString()))
    child.stderr?.on('data', (text: Buffer) => (this.stderr += text.toString()))
    const ended$ = fromEvent(child, 'close')
    merge(linesOf(child.stdout), linesOf(child.stderr))
      .pipe(takeUntil(ended$))
      .subscribe((line) => this.line$.next(line))
  }

  /** The first line that says so, also if that was before; fails where the process ends without it. */
  async says(what: RegExp): Promise<string> {
    const line = await firstValueFrom(this.line$.pipe(filter((line) => what.test(line))), { defaultValue: null })
    if (line !== null) return line
    throw new Error(`it ended without saying ${String(what)}:\n${this.stdout}${this.stderr}`)
  }

  async kill(signal: NodeJS.Signals): Promise<Ran> {
    this.child.kill(signal)
    return this.exited
  }
}

const linesOf = (stream: Readable | null): Observable<string> =>
  fromEvent(createInterface({ input: stream! }), 'line') as Observable<string>

const living = new Set<Running>()

const killed$ = new Subject<void>()
/** Emits when a test is over and its processes are killed. */
export const over$ = killed$.asObservable()

/** For after each test: nothing is left behind, whatever happened. */
export const killAll = (): Promise<unknown> => {
  killed$.next()
  return Promise.all([...living].map((running) => running.kill('SIGKILL')))
}

/** Starts `rxraft`, in `cwd` and with nothing configured but `env`. */
export const start = (
  args: ReadonlyArray<string>,
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Record<string, string> },
): Running =>
  new Running(
    spawn(process.execPath, [bin, ...args], { cwd, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['pipe', 'pipe', 'pipe'] }),
  )

/** Runs `rxraft` to its end. */
export const run = (args: ReadonlyArray<string>, options: Parameters<typeof start>[1] & { readonly stdin?: string }): Promise<Ran> => {
  const running = start(args, options)
  running.child.stdin?.end(options.stdin ?? '')
  return running.exited
}

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  // `once` rejects where the server fails instead.
  const free = await once(server.listen(port, '127.0.0.1'), 'listening').then(
    () => true,
    () => false,
  )
  if (free) await once(server.close(), 'close')
  return free
}

/** A base with all ports free that `--port-base` stands for. Below what the system gives to clients. */
export const freePortBase = async (): Promise<number> => {
  for (;;) {
    const base = 10_000 + 200 * Math.floor(Math.random() * 100)
    const free = await Promise.all([1, 2, 3, 101, 102, 103].map((n) => isFree(base + n)))
    if (free.every(Boolean)) return base
  }
}
