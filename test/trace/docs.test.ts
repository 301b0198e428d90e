import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import type { TraceLine } from '../../streams/testing/trace/line.js'
import { mend, play, schedule, settings } from '../raft/schedule.js'
import { again, lines, recordings, verdict } from './example.js'
import { tracedCluster } from './runs.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/traces.md')

describe('docs/traces.md', () => {
  it('shows test/trace/example.ts', () => {
    expect(/```ts\n([\s\S]*?)```/.exec(page)?.[1]).toBe(read('test/trace/example.ts').replaceAll(/^export /gm, ''))
  })

  it('which does what its comments say', () => {
    expect(verdict).toEqual({ _tag: 'Accepted', lines: lines.length })
    expect(lines.some(({ actions }) => actions.includes('BecomeLeader'))).toBe(true)
    expect(recordings).toHaveLength(3)
    expect(again._tag).toBe('Same')
  })

  it('has a row for every action that ever stands in a trace, and for no other but the network’s', () => {
    const rows = [...page.matchAll(/^\| `((?:rxraft\/)?[A-Z]\w+)` \|/gm)].map(([, action]) => action)
    const seen = new Set<string>()
    for (const [given, moves] of fc.sample(fc.tuple(settings, schedule), { numRuns: 40, seed: 1 })) {
      const { cluster, lines: played } = tracedCluster(3, { ...given, maxSnapshotChunkBytes: 1 })
      play(cluster, moves)
      mend(cluster)
      for (const { actions } of played) for (const action of actions) seen.add(action)
    }
    const network = ['DuplicateMessage', 'DropMessage', 'ReturnToFollowerState', 'rxraft/Ignored']
    expect([...rows].sort()).toEqual([...seen, ...network].sort())
  })

  it('has a row for every field of a line, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z]\w+)` \|/gm)].map(([, field]) => field)
    expect(rows).toEqual(Object.keys((lines[0] satisfies TraceLine | undefined) ?? {}))
  })
})
