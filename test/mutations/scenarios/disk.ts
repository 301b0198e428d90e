import fc from 'fast-check'
import { AssertionError } from 'node:assert'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aHistory, dice, type History, Lives } from '../../storage/lives.js'
import { tagOf } from '../../storage/use.js'
import { findings, type Scenario, spread } from './scenario.js'

/** The locks alone are files of the system: in memory, where it has a place for that, since there are many of them. */
const locks = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Something happens, and a snapshot takes the place of some segments. */
const history = aHistory.filter(
  ({ script, fates }) =>
    fates.length > 1 &&
    script
      .slice(3)
      .flat()
      .some(({ write }) => write.snapshot !== null),
)

/**
 * One log on a disk that forgets what was not synced: it is written, killed, loses power, meets syncs that fail, and is
 * opened again, a few times over. It must open each time, with what was acknowledged and at most one write more. At
 * last, when all is known to be on disk, bits turn over, one at a time: each is found out, or makes no difference.
 */
export const disk: Scenario = {
  name: 'disk',
  checks: ['reopened', 'kept', 'decay'],
  run: async (seed) => {
    const [{ script, segmentBytes, fates }] = fc.sample(history, { numRuns: 1, seed: spread(seed) }) as [History]
    const { say, violations } = findings()
    const directory = mkdtempSync(join(locks, 'rxraft-disk-'))
    try {
      const lives = await Lives.of(script, () => mkdtempSync(join(directory, 'life-')), { segmentBytes, dsync: seed % 2 === 1 })
      for (const fate of fates) await lives.suffer(fate)
      await lives.finish()
      const random = dice(seed)
      for (let bits = 0; bits < 4; bits++) {
        await lives.expectAll(lives.disk.aged(random)).catch((error: unknown) => {
          if (error instanceof AssertionError) say('decay', error.message)
        })
      }
    } catch (error) {
      if (error instanceof AssertionError) say('kept', error.message)
      else say('reopened', `${tagOf(error)}: ${(error as Error).message}`)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    return violations()
  },
}
