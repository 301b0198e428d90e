import type { SchedulerLike } from 'rxjs'
import { realClock } from '../../streams/clock.js'
import { VirtualScheduler } from '../../streams/heapScheduler.js'
import type { LabOptions } from '../../streams/lab.js'
import { seeded } from '../../streams/testing/random.js'
import { Lab } from './lab.js'
import type { Figures, LabTest } from './tests.js'

/** What became of one test. */
export interface LabResult extends Figures {
  readonly name: string
  readonly servers: number
  readonly ok: boolean
  /** Why it is not; null if it is. */
  readonly failure: string | null
  readonly warnings: ReadonlyArray<string>
}

export interface LabRunOptions extends Pick<LabOptions, 'step'> {
  readonly seed: number
}

/** Starts the test; `done` is called once, from the scheduler. */
const begin = (test: LabTest, scheduler: SchedulerLike, { seed, step }: LabRunOptions, done: (result: LabResult) => void): void => {
  const { name, servers, reliable, snapshots, script } = test
  const lab = new Lab({ servers, reliable, snapshots, scheduler, random: seeded(seed), ...(step === undefined ? {} : { step }) })
  const task = lab.fork(script(lab))
  task.onDone(() => {
    const failure = failureOf(() => {
      lab.check()
      task.result()
    })
    lab.end()
    const { requests: rpcs, bytes } = lab.network.counts()
    const seconds = lab.now() / 1_000
    done({ name, servers, seconds, rpcs, bytes, commits: lab.lastIndex, ok: failure === null, failure, warnings: lab.warnings })
  })
}

const failureOf = (question: () => void): string | null => {
  try {
    question()
    return null
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}

/** A test in virtual time: the same seed, the same result. */
export const runVirtually = (test: LabTest, options: LabRunOptions): LabResult => {
  const scheduler = new VirtualScheduler()
  let result: LabResult | null = null
  begin(test, scheduler, options, (its) => (result = its))
  while (result === null && scheduler.step());
  if (result === null) throw new Error(`${test.name} waits for something that never comes`)
  return result
}

/** A test on the real clock. The seed fixes the dice, not the order in which they are cast. */
export const runReally = (test: LabTest, options: LabRunOptions): Promise<LabResult> =>
  new Promise((resolve) => {
    begin(test, realClock, options, resolve)
  })
