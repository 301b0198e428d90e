import { afterEach, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { killAll, type Ran, Running } from './processes.js'

const main = fileURLToPath(new URL('../../dist/esm/test/lab/main.js', import.meta.url))
const lab = (...args: ReadonlyArray<string>): Promise<Ran> => new Running(spawn(process.execPath, [main, ...args])).exited
const lastLine = ({ stdout }: Ran): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1)!)

afterEach(killAll)

it('prints the table, and with --json a line of it last', async () => {
  const ran = await lab('--test', 'BasicAgree', '--json')
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(ran.stdout).toMatch(/^basic agreement .* 16 .* \| .* 16 +4,572 +3 {2}ok$/m)
  expect(lastLine(ran)).toEqual({
    ok: true,
    seconds: expect.any(Number),
    tests: [{ name: 'BasicAgree', servers: 3, seconds: expect.any(Number), rpcs: 16, bytes: expect.any(Number), commits: 3, ok: true }],
  })
})

it('the same on the real clock', async () => {
  const ran = await lab('--test', 'BasicAgree', '--test', 'Persist3', '--real', '--json')
  expect(ran.code).toBe(0)
  expect(lastLine(ran)).toMatchObject({
    ok: true,
    tests: [
      { name: 'BasicAgree', commits: 3 },
      { name: 'Persist3', commits: 4 },
    ],
  })
})

it('many seeds on workers: every one of them is run, and how often a figure is exceeded is told', async () => {
  const ran = await lab('--test', 'BasicAgree', '--test', 'Rejoin', '--seeds', '6', '--jobs', '2', '--json')
  expect(ran.code).toBe(0)
  expect(ran.stderr).toContain('6 of 6 seeds')
  expect(lastLine(ran)).toEqual({ ok: true, seconds: expect.any(Number), seeds: 6, runs: 12, failures: [] })
})

it('tells how it is used where the arguments make no sense', async () => {
  const ran = await lab('--seeds', 'many')
  expect(ran).toMatchObject({ code: 2, stdout: '' })
  expect(ran.stderr).toMatch(/^--seeds must be a whole number from 1 on, not "many"\n\nusage: npm run lab/)
})
