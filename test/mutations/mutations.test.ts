import { describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mutation, mutationsIn, patched } from './mutation.js'
import { putBack } from './putBack.js'
import { isGood, type Report, runAll } from './runAll.js'
import { scenarios } from './scenarios/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const mutations = mutationsIn(join(root, 'test/mutations'))
const table = [...mutations].map(([name, mutation]) => ({ name, mutation }))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('a patch', () => {
  const change = { file: 'a.ts', find: 'a < b', replace: 'a <= b' }

  it('is put where it fits', () => {
    expect(patched('if (a < b) return', change)).toBe('if (a <= b) return')
    expect(patched('x', { file: 'a.ts', find: 'x', replace: '$& $1' })).toBe('$& $1')
  })

  it.each([
    { text: 'if (b > a) return', times: 0 },
    { text: 'a < b || a < b', times: 2 },
  ])('must fit exactly once, not $times times', ({ text, times }) => {
    expect(() => patched(text, change)).toThrow(`a.ts holds ${times} times what the patch wants to replace: a < b`)
  })

  it.each(table)('fits into the source of today: $name', ({ mutation }) => {
    const texts = new Map<string, string>()
    for (const it of mutation.patch) {
      const before = texts.get(it.file) ?? read(it.file)
      const after = patched(before, it)
      expect(after).not.toBe(before)
      texts.set(it.file, after)
    }
    expect(texts.size).toBeGreaterThan(0)
  })

  it.each(table)('says where it belongs: $name', ({ name, mutation }) => {
    const number = /^(\d\d)-/.exec(name)?.[1]
    expect(mutation.number).toBe(number === undefined ? null : Number(number))
    expect(scenarios.map((scenario) => scenario.name)).toEqual(expect.arrayContaining([...mutation.scenarios]))
  })
})

describe('docs/reliability.md', () => {
  it('has a row for each of them', () => {
    const rows = [...read('docs/reliability.md').matchAll(/^\| (?:[\d–]+) \| `([\w-]+)` \|/gm)].map(([, name]) => name)
    expect(rows).toEqual([...mutations.keys()])
  })
})

describe('where nothing was put back', () => {
  it.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))('$name: no check finds anything', async ({ scenario }) => {
    for (let seed = 0; seed < 12; seed++) expect({ seed, found: await scenario.run(seed) }).toEqual({ seed, found: [] })
  })

  it.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))(
    '$name: the same seed is the same history',
    async ({ scenario }) => {
      expect(await scenario.run(5)).toEqual(await scenario.run(5))
    },
  )
})

describe('a slice: mistakes that are seen at once (all of them: npm run mutations)', () => {
  const slice: Readonly<Record<string, string>> = {
    '01-figure-8': 'invariants',
    '07-vote-before-the-disk': 'trace',
    '08-acknowledged-before-fsync': 'properties',
    '08-released-before-fsync': 'trace of streams',
    '19-segments-newest-first': 'reopened',
    '21-retry-applied-twice': 'store',
    '22-empty-disk-let-in': 'let in',
    'applied-before-durable': 'stopped',
    'checksum-not-checked': 'decay',
  }
  it.each(Object.entries(slice).map(([name, check]) => ({ name, check })))(
    '$name is seen by $check',
    async ({ name, check }) => {
      const { patch, scenarios: met } = mutations.get(name) as Mutation
      const quick = met.filter((scenario) => scenario !== 'simulator')
      const { caught } = await putBack({ patch, scenarios: quick }, { root, seconds: 5, seeds: 60, timeoutMs: 50_000 })
      expect(caught.map((it) => it.check)).toContain(check)
    },
    60_000,
  )
})

describe('the report of a run', () => {
  const quick = { root, seconds: 1, seeds: 2, timeoutMs: 30_000 }
  const seen = mutations.get('checksum-not-checked') as Mutation
  const nothing = { ...seen, patch: [], scenarios: ['store'] }

  it('tells which mutation nothing saw and which does not fit; neither is good', async () => {
    const misfit = { ...seen, patch: [{ file: 'src/raft/step.ts', find: 'no such text', replace: '' }] }
    const lines: string[] = []
    const report = await runAll(new Map(Object.entries({ misfit, nothing })), quick, (line) => lines.push(line))
    expect(report).toMatchObject({ total: 2, caught: 0, falseAlarms: 0, error: null })
    expect(report.mutations).toEqual([
      { name: 'misfit', number: null, caught: [], error: 'src/raft/step.ts holds 0 times what the patch wants to replace: no such text' },
      { name: 'nothing', number: null, caught: [], error: null },
    ])
    expect(isGood(report)).toBe(false)
    expect(lines[3]).toMatch(/^0 of 2 caught; by check: {/)
  }, 60_000)

  it('has an error where no mutation was chosen', async () => {
    const report = await runAll(new Map(), quick, () => undefined)
    expect(report).toMatchObject({ total: 0, caught: 0, error: 'no mutation has such a name' })
    expect(isGood(report)).toBe(false)
  }, 60_000)

  it('is the last line of stdout, one object', async () => {
    const arguments_ = ['tools/mutations.js', 'checksum-not-checked', 'older-slot', '--seeds', '2', '--seconds', '1', '--json']
    const stdout = await new Promise<string>((resolve) => execFile(process.execPath, arguments_, { cwd: root }, (_, out) => resolve(out)))
    const lines = stdout.trimEnd().split('\n')
    const report = JSON.parse(lines[lines.length - 1]!) as Report
    expect(Object.keys(report)).toEqual(['total', 'caught', 'control', 'falseAlarms', 'by', 'mutations', 'error'])
    expect(report).toMatchObject({ total: 2, falseAlarms: 0, error: null })
    expect(report.mutations.map(({ name }) => name)).toEqual(['checksum-not-checked', 'older-slot'])
  }, 60_000)
})
