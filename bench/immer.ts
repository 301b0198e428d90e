import { immerStep } from '../streams/testing.js'
import { step } from '../streams/core.js'
import { memory } from './memory.js'
import { appendStepNs, heartbeatNs } from './step.js'

/** The same rules, on the copy that `step` makes and on a draft of immer's (docs/decisions/0002), in turns. */
export const immer = async (): Promise<{ readonly ns: Record<string, number>; readonly commits: Record<string, number> }> => {
  const ns: Record<string, number> = {}
  const commits: Record<string, number> = {}
  for (const [name, does] of Object.entries({ copy: step, immer: immerStep })) {
    ns[`heartbeat, ${name}`] = heartbeatNs(does)
    ns[`append, ${name}`] = appendStepNs(does)
    const rates = await memory({ 1: 20_000, 256: 200_000 }, does)
    for (const [concurrency, rate] of Object.entries(rates)) commits[`${concurrency}, ${name}`] = rate
  }
  return { ns, commits }
}
