import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import type { OpenStorage } from '../../streams/storage/storage.js'
import { aScript } from './scripts.js'
import { bytesOf, configuration, dataDirectory, done, hasty, opened, perform, plain, snapshotPath } from './support.js'

/** The bytes of the snapshot that was found. */
const recoveredBytes = (open: OpenStorage): Promise<Buffer | null> => {
  const { snapshot } = open.recovered
  return snapshot === null ? Promise.resolve(null) : bytesOf(open, snapshot.ref, snapshot.size)
}

describe('a disk and a memory', () => {
  it('hold the same after every write, whether closed or abandoned, in few segments or many', async () => {
    const segmentBytes = fc.constantFrom(500, 2_000, 64 << 20)
    await fc.assert(
      fc.asyncProperty(
        aScript(8),
        segmentBytes,
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        async (script, segmentBytes, closes) => {
          const directory = await dataDirectory()
          const disk = diskStorage(directory, { fileSystem: hasty, segmentBytes })
          const memory = memoryStorage(configuration)
          for (const [i, batch] of script.entries()) {
            const [onDisk, inMemory] = await Promise.all([opened(disk), opened(memory)])
            expect(plain(onDisk.open.recovered)).toEqual(plain(inMemory.open.recovered))
            expect(await recoveredBytes(onDisk.open)).toEqual(await recoveredBytes(inMemory.open))
            await perform(onDisk.open, batch)
            await perform(inMemory.open, batch)
            for (const { open, abandon } of [onDisk, inMemory]) {
              if (closes[i]) await done(open.close())
              else abandon()
            }
          }
          const { open, abandon } = await opened(disk)
          expect(plain(open.recovered)).toEqual(plain(memory.stored()))
          const kept = memory.stored().snapshot
          expect(readdirSync(directory).filter((name) => name.endsWith('.snapshot'))).toEqual(
            kept === null ? [] : [basename(snapshotPath(directory, kept.ref))],
          )
          abandon()
        },
      ),
      { numRuns: 60 },
    )
  })
})
