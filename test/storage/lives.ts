import fc from 'fast-check'
import { deepStrictEqual } from 'node:assert'
import { basename, join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { lastValueFrom, VirtualTimeScheduler } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered } from '../../src/raft/state/server.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { snapshotFile } from '../../streams/storage/disk/layout.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { ForgetfulDisk } from './powerLoss.js'
import { aScript } from './scripts.js'
import { bytesOf, done, opened, perform, tagOf } from './use.js'
import { configuration, incarnation, plain, snapshotBytes } from './values.js'

/*
 * One log and the lives of its server, on a disk that forgets. What must not be is thrown: an `AssertionError` where
 * something that was acknowledged is missing, or more is there than one write that was under way; else what `open`
 * refused with. Free of jest.
 */

export type Script = ReadonlyArray<ReadonlyArray<Persist>>

/** Some writes fit into one segment. */
const someWrites = 900

/** How one life ends. */
export interface Fate {
  /** After so many calls, */
  readonly calls: number
  /** with the power, or killed. */
  readonly power: boolean
  /** Of the dice that tell what is lost with the power. */
  readonly seed: number
  /** Which sync fails before that, if any. */
  readonly failSync: number | null
}

const aFate: fc.Arbitrary<Fate> = fc.record({
  calls: fc.integer({ min: 1, max: 120 }),
  power: fc.boolean(),
  seed: fc.nat(),
  failSync: fc.option(fc.integer({ min: 1, max: 12 })),
})

export interface History {
  readonly script: Script
  /** Of which size a segment is followed by a new one: a snapshot takes the place of one of them, or of many. */
  readonly segmentBytes: number
  readonly fates: ReadonlyArray<Fate>
}

export const aHistory: fc.Arbitrary<History> = fc.record({
  script: aScript(10),
  segmentBytes: fc.constantFrom(1, someWrites),
  fates: fc.array(aFate, { maxLength: 6 }),
})

/** Repeatable dice. */
export const dice = (seed: number): (() => number) => {
  let state = Math.imul(seed + 1, 0x9e37_79b1) // neighbouring seeds fall apart
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The states after no, one, two … of the batches. */
export const statesOf = async (script: Script): Promise<ReadonlyArray<Recovered>> => {
  const memory = memoryStorage(configuration)
  const { open } = await opened(memory)
  const states = [memory.stored()]
  for (const batch of script) {
    await perform(open, batch)
    states.push(memory.stored())
  }
  return states
}

export interface LivesOptions extends Partial<Pick<History, 'segmentBytes'>> {
  /** Whether the disk's system has `O_DSYNC`: false by default. */
  readonly dsync?: boolean
}

export class Lives {
  /** How many of the batches are known to be there. */
  known = 0

  private constructor(
    private readonly script: Script,
    /** After so many of the batches. */
    private readonly states: ReadonlyArray<Recovered>,
    private readonly newDirectory: () => string,
    private readonly segmentBytes: number,
    readonly disk: ForgetfulDisk,
  ) {}

  /**
   * Bootstrapped, and nothing written yet. `newDirectory` is where each life has its lock: who was killed holds its own
   * for ever.
   */
  static async of(
    script: Script,
    newDirectory: () => string,
    { segmentBytes = someWrites, dsync = false }: LivesOptions = {},
  ): Promise<Lives> {
    const lives = new Lives(script, await statesOf(script), newDirectory, segmentBytes, new ForgetfulDisk(dsync))
    await lastValueFrom(bootstrap(lives.directory(), { id: 'n1', clusterId: 'test', configuration, incarnation }, lives.disk.fileSystem))
    return lives
  }

  get complete(): boolean {
    return this.known === this.script.length
  }

  /** Opens, writes on from where what it found ends, and stops when the disk does (`stops`) or when a sync fails. */
  async live(stops: Promise<'stopped'>): Promise<void> {
    const scheduler = new VirtualTimeScheduler()
    const storage = diskStorage(this.directory(), {
      fileSystem: this.disk.fileSystem,
      segmentBytes: this.segmentBytes,
      growBytes: 250, // some writes extend the file, others go into the room that those made
      scheduler,
    })
    const start = await Promise.race([opened(storage).catch(unlessFailed), stops])
    if (start === 'failed' || start === 'stopped') return
    const { recovered } = start.open
    this.known = this.whichState(recovered)
    const { snapshot } = recovered
    if (snapshot !== null) {
      const bytes = await Promise.race([bytesOf(start.open, snapshot.ref, snapshot.size), stops])
      if (bytes === 'stopped') return
      deepStrictEqual(bytes, Buffer.from(snapshotBytes(snapshot.ref, snapshot.size)))
    }
    while (!this.complete) {
      const batch = this.script[this.known]!.map((persist) => notBefore(recovered, persist))
      const written = await Promise.race([perform(start.open, batch).catch(unlessFailed), stops])
      if (written === 'failed' || written === 'stopped') return
      this.known++
      if (this.known % 3 === 0) scheduler.flush() // time for the durable marker
    }
    await Promise.race([done(start.open.close()), stops])
  }

  /** Lives so, and ends so. */
  async suffer({ calls, power, seed, failSync }: Fate): Promise<void> {
    const stops = this.disk.stopAfter(calls)
    if (failSync !== null) this.disk.failSync(failSync)
    await this.live(stops)
    if (power) this.disk.losePower(dice(seed))
    else this.disk.kill()
  }

  /**
   * A life to the end of the script. All is there then, and no snapshot that nobody refers to; and all of it is marked
   * durable.
   */
  async finish(): Promise<void> {
    await this.live(new Promise(() => undefined))
    deepStrictEqual(this.known, this.script.length)
    const { snapshot } = await this.expectAll()
    deepStrictEqual(
      this.disk.list().filter((name) => name.endsWith('.snapshot')),
      snapshot === null ? [] : [basename(snapshotFile('', snapshot.ref))],
    )
  }

  /** Opens it, and finds the end of the script. */
  async expectAll({ fileSystem } = this.disk): Promise<Recovered> {
    const { open } = await opened(diskStorage(this.directory(), { fileSystem }))
    deepStrictEqual(plain(open.recovered), plain(this.states[this.script.length]!))
    return open.recovered
  }

  private directory(): string {
    const directory = join(this.newDirectory(), 'n1')
    mkdirSync(directory)
    return directory
  }

  /**
   * How many batches `recovered` holds: all `known` ones, or one more that was under way. Of that one, term
   * and vote may be there alone, which are written in a place of their own.
   */
  private whichState(recovered: Recovered): number {
    const { states, known } = this
    const is = (state: unknown): boolean => JSON.stringify(state) === JSON.stringify(plain(recovered))
    const legal = [known + 1, known].find((n) => states[n] !== undefined && is(plain(states[n])))
    if (legal !== undefined) return legal
    const { currentTerm, votedFor } = states[known + 1] ?? states[known]!
    deepStrictEqual(plain(recovered), plain({ ...states[known]!, currentTerm, votedFor }))
    return known
  }
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
