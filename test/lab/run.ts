import type { SchedulerLike } from 'rxjs'
import { realClock } from '../../streams/time/clock.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
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

/** Starts the test; `done` is called once, from the scheduler. Gives what ends it before its time, with a reason. */
const begin = (
  test: LabTest,
  scheduler: SchedulerLike,
  { seed, step }: LabRunOptions,
  done: (result: LabResult) => void,
): ((failure: string) => void) => {
  const { name, servers, reliable, snapshots, script } = test
  const lab = new Lab({ servers, reliable, snapshots, scheduler, random: seeded(seed), ...(step === undefined ? {} : { step }) })
  const task = lab.fork(script(lab))
  const finish = (failure: string | null): void => {
    lab.end()
    const { requests: rpcs, bytes } = lab.network.counts()
    const seconds = lab.now() / 1_000
    done({ name, servers, seconds, rpcs, bytes, commits: lab.lastIndex, ok: failure === null, failure, warnings: lab.warnings })
  }
  task.onDone(() =>
    finish(
      failureOf(() => {
        lab.check()
        task.result()
      }),
    ),
  )
  return finish
}

const failureOf = (question: () => void): string | null => {
  try {
    question()
    return null
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}

/**
 * Without delays a cluster that goes round in circles would do so for ever in one millisecond; a burst of a thousand
 * commands takes a tenth.
 */
const maxActionsPerMs = 200_000

/** A test in virtual time: the same seed, the same result. */
export const runVirtually = (test: LabTest, options: LabRunOptions): LabResult => {
  const scheduler = new VirtualScheduler()
  let result: LabResult | null = null
  const giveUp = begin(test, scheduler, options, (its) => (result = its))
  let now = 0
  let actions = 0
  while (result === null) {
    if (!scheduler.step()) giveUp('it waits for something that never comes')
    else if (scheduler.now() > now) {
      now = scheduler.now()
      actions = 0
    } else if (++actions > maxActionsPerMs) giveUp(`time stands still at ${now} ms: the servers go round in circles`)
  }
  return result
}

/** A test on the real clock. The seed fixes the dice, not the order in which they are cast. */
export const runReally = (test: LabTest, options: LabRunOptions): Promise<LabResult> =>
  new Promise((resolve) => {
    begin(test, realClock, options, resolve)
  })
