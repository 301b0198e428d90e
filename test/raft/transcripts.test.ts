import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transcript } from '../../streams/testing/transcript.js'

const folder = fileURLToPath(new URL('../transcripts', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('transcripts: what is written down is what happens', () => {
  it.each(files)('%s', (name) => {
    const path = join(folder, name)
    const played = transcript(readFileSync(path, 'utf8'))
    if (process.env['GOLDEN'] === 'write') writeFileSync(path, played)
    // A difference is either a mistake or news: `GOLDEN=write npm run jest -- test/raft/transcripts.test.ts` accepts
    // it.
    expect(played).toBe(readFileSync(path, 'utf8'))
  })
})
