import { Worker } from 'node:worker_threads'
import { type LabResult, runReally } from './run.js'
import type { LabTest } from './tests.js'

/** What a worker is asked: these tests, with this seed. */
export interface Order {
  readonly names: ReadonlyArray<string>
  readonly seed: number
}

export type SeedDone = (seed: number, results: ReadonlyArray<LabResult>) => void

/**
 * Runs the tests with every seed in virtual time, on `jobs` workers, each of which takes the next seed when it is free.
 */
export const sweepVirtually = (
  tests: ReadonlyArray<LabTest>,
  { from, count, jobs, done }: { readonly from: number; readonly count: number; readonly jobs: number; readonly done: SeedDone },
): Promise<void> => {
  let next = from
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('worker.js', import.meta.url))
      let seed = 0
      const order = (): void => {
        if (next === from + count) return void worker.terminate().then(() => resolve(), reject)
        seed = next++
        worker.postMessage({ names: tests.map(({ name }) => name), seed } satisfies Order)
      }
      worker.on('message', (results: ReadonlyArray<LabResult>) => {
        done(seed, results)
        order()
      })
      worker.on('error', (error) => {
        reject(new Error(`seed ${seed} ended its worker`, { cause: error }))
      })
      order()
    })
  return Promise.all(Array.from({ length: Math.min(jobs, count) }, work)).then(() => undefined)
}

/** The tests at the same time on the real clock. */
export const allReally = (tests: ReadonlyArray<LabTest>, seed: number): Promise<ReadonlyArray<LabResult>> =>
  Promise.all(tests.map((test) => runReally(test, { seed })))
