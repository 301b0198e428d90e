import { type ChildProcess, fork } from 'node:child_process'
import { Observable } from 'rxjs'
import type { RunOptions, RunReport } from './run.js'

/** A worker that ended before it answered: it ran out of memory, or somebody ended it. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded'
  constructor(
    readonly seed: number,
    how: string,
  ) {
    super(`The process that simulated seed ${seed} ended (${how}). Try that seed alone: rxraft sim --seed ${seed}`)
  }
}

/**
 * Nearly all objects here are young: room for them saves a third of the collector's time. There is one worker for each
 * core: helper threads of V8 in one worker would take time from the others.
 */
const execArgv = ['--max-semi-space-size=32', '--single-threaded']

/**
 * Runs the seeds that `nextSeed` gives, each in one of `workers` processes, until it gives null. Emits the report of
 * each run when it is done. Unsubscribing ends the processes.
 */
export const pool = (workers: number, options: RunOptions, nextSeed: () => number | null): Observable<RunReport> =>
  new Observable((subscriber) => {
    const running = new Set<ChildProcess>()

    const start = (): void => {
      // Beside the bundle that this file is part of (tools/bundle.js).
      const worker = fork(new URL('./worker.js', import.meta.url), [], { execArgv })
      let seed: number | null = null
      running.add(worker)
      const give = (): void => {
        seed = nextSeed()
        if (seed === null) worker.disconnect()
        else worker.send({ seed, options })
      }
      worker.on('message', (report: RunReport) => {
        subscriber.next(report)
        if (!subscriber.closed) give()
      })
      worker.on('exit', (code, signal) => {
        running.delete(worker)
        if (seed !== null && !subscriber.closed) subscriber.error(new WorkerEnded(seed, signal ?? `code ${code}`))
        else if (running.size === 0) subscriber.complete()
      })
      give()
    }

    subscriber.add(() => {
      for (const worker of running) worker.kill('SIGKILL')
    })
    for (let i = 0; i < workers; i++) start()
  })
