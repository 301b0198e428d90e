import { parentPort } from 'node:worker_threads'
import { runVirtually } from './run.js'
import type { Order } from './sweep.js'
import { labTests } from './tests.js'

parentPort?.on('message', ({ names, seed }: Order) => {
  const tests = labTests.filter(({ name }) => names.includes(name))
  parentPort?.postMessage(tests.map((test) => runVirtually(test, { seed })))
})
