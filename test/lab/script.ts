import type { SchedulerLike } from 'rxjs'

/**
 * A scenario as a generator: it yields how many milliseconds to sleep, or a task to wait for. So the same
 * text runs on the real clock and, without a promise in it, within one call of virtual time.
 */
export type Script<T = void> = Generator<number | Task<unknown>, T, unknown>

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** A script that runs. */
export class Task<T = void> {
  private outcome: Outcome<T> | null = null
  private readonly waiting: (() => void)[] = []

  /** Begins in the next turn of `scheduler`. `check` throws into the script where it must not go on. */
  constructor(
    private readonly script: Script<T>,
    private readonly scheduler: SchedulerLike,
    private readonly check: () => void,
  ) {
    scheduler.schedule(this.resume)
  }

  get done(): boolean {
    return this.outcome !== null
  }

  /** What the script returned; throws what it threw. */
  result(): T {
    if (this.outcome === null) throw new Error('the script has not ended')
    if ('error' in this.outcome) throw this.outcome.error
    return this.outcome.value
  }

  /** Calls back once when it is over. */
  onDone(callback: () => void): void {
    if (this.done) callback()
    else this.waiting.push(callback)
  }

  private readonly resume = (): void => {
    let next: IteratorResult<number | Task<unknown>, T>
    try {
      this.check()
      next = this.script.next()
    } catch (error) {
      return this.end({ error })
    }
    if (next.done === true) this.end({ value: next.value })
    else if (typeof next.value === 'number') this.scheduler.schedule(this.resume, next.value)
    else next.value.onDone(this.resume)
  }

  private end(outcome: Outcome<T>): void {
    this.outcome = outcome
    for (const callback of this.waiting) callback()
  }
}

/** Waits for all of them and gives what they returned; throws what the first of them threw. */
export function* all<T>(tasks: ReadonlyArray<Task<T>>): Script<ReadonlyArray<T>> {
  for (const task of tasks) yield task
  return tasks.map((task) => task.result())
}
