import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { lastValueFrom, VirtualTimeScheduler } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered } from '../../src/raft/server.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { memoryStorage } from '../../streams/storage/memoryStorage.js'
import { ForgetfulDisk } from './powerLoss.js'
import { aScript } from './scripts.js'
import { configuration, done, errorOf, incarnation, opened, plain, temporaryDirectory } from './support.js'

type Script = ReadonlyArray<ReadonlyArray<Persist>>

/** Another name for each life: who was killed holds its own for ever. */
const life = (): string => {
  const directory = join(temporaryDirectory(), 'n1')
  mkdirSync(directory)
  return directory
}

const bootstrapped = async (): Promise<ForgetfulDisk> => {
  const disk = new ForgetfulDisk()
  await lastValueFrom(bootstrap(life(), { id: 'n1', clusterId: 'test', configuration, incarnation }, disk.fileSystem))
  return disk
}

/** The states after no, one, two … of the batches. */
const statesOf = async (script: Script): Promise<ReadonlyArray<Recovered>> => {
  const memory = memoryStorage(configuration)
  const { open } = await opened(memory)
  const states = [memory.stored()]
  for (const batch of script) {
    await done(open.write(batch))
    states.push(memory.stored())
  }
  return states
}

interface Outcome {
  readonly acknowledged: number
  /** How many batches were found at the start. */
  readonly from: number
}

/** One life: opens, writes on from where what it found ends, and stops when the disk does. */
const live = async (disk: ForgetfulDisk, script: Script, states: ReadonlyArray<Recovered>, known: number, stops: Promise<'stopped'>, segmentBytes: number): Promise<Outcome> => {
  const scheduler = new VirtualTimeScheduler()
  const storage = diskStorage(life(), { fileSystem: disk.fileSystem, segmentBytes, scheduler })
  const start = await Promise.race([opened(storage), stops])
  if (start === 'stopped') return { acknowledged: known, from: known }
  const from = whichState(states, start.open.recovered, known)
  let acknowledged = from
  while (acknowledged < script.length) {
    if (await Promise.race([done(start.open.write(script[acknowledged]!)), stops]) === 'stopped') return { acknowledged, from }
    acknowledged++
    if (acknowledged % 3 === 0) scheduler.flush() // time for the durable marker
  }
  await Promise.race([done(start.open.close()), stops])
  return { acknowledged, from }
}

/**
 * How many batches `recovered` holds: all `known` ones, or one more that was under way. Of that one, term
 * and vote may be there alone, which are written in a place of their own.
 */
const whichState = (states: ReadonlyArray<Recovered>, recovered: Recovered, known: number): number => {
  const is = (state: unknown): boolean => JSON.stringify(state) === JSON.stringify(plain(recovered))
  const legal = [known + 1, known].find((n) => states[n] !== undefined && is(plain(states[n])))
  if (legal !== undefined) return legal
  const { currentTerm, votedFor } = states[known + 1] ?? states[known]!
  expect(plain(recovered)).toEqual(plain({ ...states[known]!, currentTerm, votedFor }))
  return known
}

/** Repeatable dice. */
const dice = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const finish = async (disk: ForgetfulDisk, script: Script, states: ReadonlyArray<Recovered>, known: number, segmentBytes: number): Promise<void> => {
  const { acknowledged } = await live(disk, script, states, known, new Promise(() => undefined), segmentBytes)
  expect(acknowledged).toBe(script.length)
  const { open } = await opened(diskStorage(life(), { fileSystem: disk.fileSystem }))
  expect(plain(open.recovered)).toEqual(plain(states[script.length]!))
}

const segmentBytes = 900
const [sample] = fc.sample(aScript(8).filter((script) => script.flat().length > 14), { numRuns: 1, seed: 7 })

describe('what was acknowledged is there, and at most one write more', () => {
  it.each(['killed', 'without power'] as const)('when it is %s at any one call', async (how) => {
    const script = sample!
    const states = await statesOf(script)
    let from = 0
    for (let n = 1; ; n++) {
      const disk = await bootstrapped()
      const stops = disk.stopAfter(n)
      const { acknowledged } = await live(disk, script, states, 0, stops, segmentBytes)
      if (how === 'killed') disk.kill()
      else disk.losePower(dice(n))
      await finish(disk, script, states, acknowledged, segmentBytes)
      from = n
      if (acknowledged === script.length) break
    }
    expect(from).toBeGreaterThan(50)
  })

  it('through any history of kills, losses of power and failed syncs', async () => {
    const fate = fc.record({ calls: fc.integer({ min: 1, max: 60 }), power: fc.boolean(), seed: fc.nat(), failSync: fc.boolean() })
    await fc.assert(fc.asyncProperty(aScript(10), fc.array(fate, { maxLength: 6 }), async (script, fates) => {
      const states = await statesOf(script)
      const disk = await bootstrapped()
      let known = 0
      for (const { calls, power, seed, failSync } of fates) {
        const stops = disk.stopAfter(calls)
        if (failSync) disk.failNextSync()
        const outcome = await live(disk, script, states, known, stops, segmentBytes).catch((error: unknown) => {
          expect(error).toMatchObject({ _tag: 'StorageFailed' })
          return null
        })
        known = outcome?.acknowledged ?? known
        if (power) disk.losePower(dice(seed))
        else disk.kill()
      }
    }), { numRuns: 100 })
  })

  it('a data directory is made whole or not at all', async () => {
    for (let n = 1; ; n++) {
      const disk = new ForgetfulDisk()
      const stops = disk.stopAfter(n)
      const made = await Promise.race([lastValueFrom(bootstrap(life(), { id: 'n1', clusterId: 'test', configuration, incarnation }, disk.fileSystem)), stops])
      disk.losePower(dice(n))
      const outcome = await opened(diskStorage(life(), { fileSystem: disk.fileSystem })).then(({ open }) => plain(open.recovered), (error: { readonly _tag: string }) => error._tag)
      if (made === 'stopped') expect(['NotBootstrapped', plain((await statesOf([]))[0]!)]).toContainEqual(outcome)
      else {
        expect(outcome).toEqual(plain((await statesOf([]))[0]!))
        break
      }
    }
    expect(await errorOf(diskStorage(life()).open())).toMatchObject({ _tag: 'NotBootstrapped' })
  })
})
