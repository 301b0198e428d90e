import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { memoryStorage } from '../../streams/storage/memoryStorage.js'
import { aScript } from './scripts.js'
import { configuration, dataDirectory, done, hasty, opened, plain } from './support.js'

describe('a disk and a memory', () => {
  it('hold the same after every write, whether closed or abandoned, in few segments or many', async () => {
    const segmentBytes = fc.constantFrom(500, 2_000, 64 << 20)
    await fc.assert(
      fc.asyncProperty(
        aScript(8),
        segmentBytes,
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        async (script, segmentBytes, closes) => {
          const disk = diskStorage(await dataDirectory(), { fileSystem: hasty, segmentBytes })
          const memory = memoryStorage(configuration)
          for (const [i, batch] of script.entries()) {
            const [onDisk, inMemory] = await Promise.all([opened(disk), opened(memory)])
            expect(plain(onDisk.open.recovered)).toEqual(plain(inMemory.open.recovered))
            await done(onDisk.open.write(batch))
            await done(inMemory.open.write(batch))
            for (const { open, abandon } of [onDisk, inMemory]) {
              if (closes[i]) await done(open.close())
              else abandon()
            }
          }
          const { open, abandon } = await opened(disk)
          expect(plain(open.recovered)).toEqual(plain(memory.stored()))
          abandon()
        },
      ),
      { numRuns: 60 },
    )
  })
})
