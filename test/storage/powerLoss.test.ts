import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { basename, join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { lastValueFrom, VirtualTimeScheduler } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered } from '../../src/raft/server.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { memoryStorage } from '../../streams/storage/memoryStorage.js'
import { ForgetfulDisk } from './powerLoss.js'
import { aScript } from './scripts.js'
import {
  bytesOf,
  command,
  configuration,
  done,
  hardState,
  incarnation,
  opened,
  perform,
  persist,
  plain,
  pointer,
  snapshotBytes,
  snapshotPath,
  tagOf,
  temporaryDirectory,
} from './support.js'

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
    await perform(open, batch)
    states.push(memory.stored())
  }
  return states
}

/**
 * One life: opens, writes on from where what it found ends, and stops when the disk does or when a sync
 * fails. How many of the batches are then known to be there.
 */
const live = async (
  disk: ForgetfulDisk,
  script: Script,
  states: ReadonlyArray<Recovered>,
  known: number,
  stops: Promise<'stopped'>,
  segmentBytes: number,
): Promise<number> => {
  const scheduler = new VirtualTimeScheduler()
  const storage = diskStorage(life(), { fileSystem: disk.fileSystem, segmentBytes, growBytes, scheduler })
  const start = await Promise.race([opened(storage).catch(unlessFailed), stops])
  if (start === 'failed' || start === 'stopped') return known
  const { recovered } = start.open
  let acknowledged = whichState(states, recovered, known)
  const { snapshot } = recovered
  if (snapshot !== null) {
    const bytes = await Promise.race([bytesOf(start.open, snapshot.ref, snapshot.size), stops])
    if (bytes === 'stopped') return acknowledged
    expect(bytes).toEqual(Buffer.from(snapshotBytes(snapshot.ref, snapshot.size)))
  }
  while (acknowledged < script.length) {
    const batch = script[acknowledged]!.map((persist) => notBefore(recovered, persist))
    const written = await Promise.race([perform(start.open, batch).catch(unlessFailed), stops])
    if (written === 'failed' || written === 'stopped') return acknowledged
    acknowledged++
    if (acknowledged % 3 === 0) scheduler.flush() // time for the durable marker
  }
  await Promise.race([done(start.open.close()), stops])
  return acknowledged
}

/** A server that found a later term does not go through those before it again. */
const notBefore = ({ currentTerm }: Recovered, persist: Persist): Persist => {
  const { hardState } = persist.write
  return hardState !== null && hardState.currentTerm < currentTerm ? { ...persist, write: { ...persist.write, hardState: null } } : persist
}

const unlessFailed = (error: unknown): 'failed' => {
  if (tagOf(error) !== 'StorageFailed') throw error
  return 'failed'
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
  let state = Math.imul(seed + 1, 0x9e37_79b1) // neighbouring seeds fall apart
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const finish = async (
  disk: ForgetfulDisk,
  script: Script,
  states: ReadonlyArray<Recovered>,
  known: number,
  segmentBytes: number,
): Promise<void> => {
  expect(await live(disk, script, states, known, new Promise(() => undefined), segmentBytes)).toBe(script.length)
  const { open } = await opened(diskStorage(life(), { fileSystem: disk.fileSystem }))
  expect(plain(open.recovered)).toEqual(plain(states[script.length]!))
  const { snapshot } = open.recovered
  expect(disk.list().filter((name) => name.endsWith('.snapshot'))).toEqual(
    snapshot === null ? [] : [basename(snapshotPath('', snapshot.ref))],
  )
}

const segmentBytes = 900
/** Some writes extend the file, others go into the room that those made. */
const growBytes = 250
/** More for a release: RUNS=5000. */
const numRuns = Number(process.env['RUNS'] ?? 100)
const [sample] = fc.sample(
  aScript(8).filter((script) => {
    const writes = script.flat()
    return writes.length > 14 && writes.filter(({ write: { snapshot } }) => snapshot !== null).length > 3
  }),
  { numRuns: 1, seed: 7 },
)

describe('what was acknowledged is there, and at most one write more', () => {
  it.each(['killed', 'without power', 'killed, and without power some calls later'] as const)(
    'when it is %s at any one call',
    async (how) => {
      const script = sample!
      const states = await statesOf(script)
      let calls = 0
      for (let complete = false; !complete;) {
        const disk = await bootstrapped()
        const stops = disk.stopAfter(++calls)
        let acknowledged = await live(disk, script, states, 0, stops, segmentBytes)
        complete = acknowledged === script.length
        if (how === 'without power') disk.losePower(dice(calls))
        else disk.kill()
        if (how === 'killed, and without power some calls later') {
          acknowledged = await live(disk, script, states, acknowledged, disk.stopAfter(40), segmentBytes)
          disk.losePower(dice(calls))
        }
        await finish(disk, script, states, acknowledged, segmentBytes)
      }
      expect(calls).toBeGreaterThan(50)
    },
  )

  it('when it is without power while segments are given up to a snapshot', async () => {
    const batches = Array.from({ length: 6 }, (_, i) => [
      persist({ hardState: hardState(i + 1), firstIndex: i + 1, entries: [command(i + 1, 'x'.repeat(400))], commitIndex: i + 1 }),
    ])
    const script = [
      ...batches,
      [persist({ snapshot: pointer(1, 600, 5, { term: 5 }), firstIndex: 7, commitIndex: 6 })],
      [persist({ snapshot: pointer(2, 10, 6, { term: 6 }), firstIndex: 7, entries: [command(6, 'y')], commitIndex: 7 })],
      [persist({ firstIndex: 8, entries: [command(6, 'z')], commitIndex: 7 })],
    ]
    const states = await statesOf(script)
    let calls = 100 // shortly before the first pointer
    for (let complete = false; !complete; calls++) {
      for (let seed = 0; seed < 2; seed++) {
        const disk = await bootstrapped()
        const acknowledged = await live(disk, script, states, 0, disk.stopAfter(calls), 800)
        complete = acknowledged === script.length
        disk.losePower(dice(calls * 2 + seed))
        await finish(disk, script, states, acknowledged, 800)
      }
    }
    expect(calls).toBeGreaterThan(130)
  })

  it('through any history of kills, losses of power and failed syncs', async () => {
    const fate = fc.record({
      calls: fc.integer({ min: 1, max: 60 }),
      power: fc.boolean(),
      seed: fc.nat(),
      failSync: fc.option(fc.integer({ min: 1, max: 12 })),
    })
    await fc.assert(
      fc.asyncProperty(aScript(10), fc.array(fate, { maxLength: 6 }), async (script, fates) => {
        const states = await statesOf(script)
        const disk = await bootstrapped()
        let known = 0
        for (const { calls, power, seed, failSync } of fates) {
          const stops = disk.stopAfter(calls)
          if (failSync !== null) disk.failSync(failSync)
          known = await live(disk, script, states, known, stops, segmentBytes)
          if (power) disk.losePower(dice(seed))
          else disk.kill()
        }
        await finish(disk, script, states, known, segmentBytes)
      }),
      { numRuns },
    )
  })

  it('a data directory is made whole or not at all', async () => {
    const whole = plain((await statesOf([]))[0]!)
    const identity = { id: 'n1', clusterId: 'test', configuration, incarnation }
    const outcomes: unknown[] = []
    for (let calls = 1, complete = false; !complete; calls++) {
      for (let seed = 0; seed < 20; seed++) {
        const disk = new ForgetfulDisk()
        const stops = disk.stopAfter(calls)
        complete = (await Promise.race([lastValueFrom(bootstrap(life(), identity, disk.fileSystem)), stops])) !== 'stopped'
        disk.losePower(dice(seed))
        outcomes.push(await opened(diskStorage(life(), { fileSystem: disk.fileSystem })).then(({ open }) => plain(open.recovered), tagOf))
      }
    }
    expect(outcomes[0]).toBe('NotBootstrapped')
    expect(outcomes[outcomes.length - 1]).toEqual(whole)
    expect(outcomes.filter((outcome) => outcome !== 'NotBootstrapped' && JSON.stringify(outcome) !== JSON.stringify(whole))).toEqual([])
  })
})
