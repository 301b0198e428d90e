import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { aHistory, dice, Lives, statesOf } from './lives.js'
import { ForgetfulDisk } from './powerLoss.js'
import { aScript } from './scripts.js'
import { command, configuration, hardState, incarnation, opened, persist, plain, pointer, tagOf, temporaryDirectory } from './support.js'

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
  const howItEnds = ['killed', 'without power', 'killed, and without power some calls later'] as const
  it.each(howItEnds.flatMap((how) => [false, true].map((dsync) => ({ how, dsync }))))(
    'when it is $how at any one call (O_DSYNC: $dsync)',
    async ({ how, dsync }) => {
      let calls = 0
      for (let complete = false; !complete;) {
        const lives = await Lives.of(sample!, temporaryDirectory, { dsync })
        const { disk } = lives
        await lives.live(disk.stopAfter(++calls))
        ;({ complete } = lives)
        if (how === 'without power') disk.losePower(dice(calls))
        else disk.kill()
        if (how === 'killed, and without power some calls later') {
          await lives.live(disk.stopAfter(40))
          disk.losePower(dice(calls))
        }
        await lives.finish()
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
    let calls = 100 // shortly before the first pointer
    for (let complete = false; !complete; calls++) {
      for (let seed = 0; seed < 2; seed++) {
        const lives = await Lives.of(script, temporaryDirectory, { segmentBytes: 800 })
        await lives.live(lives.disk.stopAfter(calls))
        ;({ complete } = lives)
        lives.disk.losePower(dice(calls * 2 + seed))
        await lives.finish()
      }
    }
    expect(calls).toBeGreaterThan(130)
  })

  it('through any history of kills, losses of power and failed syncs', async () => {
    await fc.assert(
      fc.asyncProperty(aHistory, fc.boolean(), async ({ script, segmentBytes, fates }, dsync) => {
        const lives = await Lives.of(script, temporaryDirectory, { segmentBytes, dsync })
        for (const fate of fates) await lives.suffer(fate)
        await lives.finish()
      }),
      { numRuns },
    )
  })

  it('a data directory is made whole or not at all', async () => {
    const directory = (): string => {
      const made = join(temporaryDirectory(), 'n1')
      mkdirSync(made)
      return made
    }
    const whole = plain((await statesOf([]))[0]!)
    const identity = { id: 'n1', clusterId: 'test', configuration, incarnation }
    const outcomes: unknown[] = []
    for (let calls = 1, complete = false; !complete; calls++) {
      for (let seed = 0; seed < 20; seed++) {
        const disk = new ForgetfulDisk()
        const stops = disk.stopAfter(calls)
        complete = (await Promise.race([lastValueFrom(bootstrap(directory(), identity, disk.fileSystem)), stops])) !== 'stopped'
        disk.losePower(dice(seed))
        outcomes.push(
          await opened(diskStorage(directory(), { fileSystem: disk.fileSystem })).then(({ open }) => plain(open.recovered), tagOf),
        )
      }
    }
    expect(outcomes[0]).toBe('NotBootstrapped')
    expect(outcomes[outcomes.length - 1]).toEqual(whole)
    expect(outcomes.filter((outcome) => outcome !== 'NotBootstrapped' && JSON.stringify(outcome) !== JSON.stringify(whole))).toEqual([])
  })
})
