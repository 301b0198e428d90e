import { describe, expect, it } from '@jest/globals'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/rxraft.js', import.meta.url))
const sim = (...args: ReadonlyArray<string>): Record<string, unknown> =>
  JSON.parse(execFileSync(process.execPath, [bin, 'sim', ...args, '--json'], { encoding: 'utf8', stdio: 'pipe' })) as Record<
    string,
    unknown
  >

describe('rxraft sim', () => {
  it('simulates seeds in processes of their own, each twice', () => {
    expect(sim('--seeds', '2', '--first-seed', '1', '--for-ms', '2000', '--workers', '2', '--twice')).toMatchObject({
      ok: true,
      seeds: 2, // the second run of each is the same history, and counts once
      violations: 0,
    })
  })

  it('ends when so many operations were found linearizable', () => {
    const report = sim('--operations', '3000', '--ops-per-second', '1000', '--clients', '20', '--for-ms', '2000', '--first-seed', '1')
    const { checked } = report['linearizable'] as { readonly checked: number }
    expect(checked).toBeGreaterThanOrEqual(3_000)
    expect(report['violations']).toBe(0)
  })

  it('exits with 3 where it could not find out whether all operations are linearizable', () => {
    const args = ['--seed', '3', '--servers', '3', '--clients', '100', '--ops-per-second', '5000', '--for-ms', '3000', '--json']
    const { status, stdout } = spawnSync(process.execPath, [bin, 'sim', ...args], { encoding: 'utf8' })
    const report = JSON.parse(stdout) as { readonly linearizable: { readonly unknown: number } }
    expect(status).toBe(3)
    expect(report).toMatchObject({ ok: false, outcome: 'Unknown', reason: 'LinearizabilityUnknown', violations: 0 })
    expect(report.linearizable.unknown).toBeGreaterThan(0)
  })

  it('one seed here is the same history as one there', () => {
    const { hash } = sim('--seed', '7', '--for-ms', '3000')
    expect(sim('--seed', '7', '--for-ms', '3000')['hash']).toBe(hash)
  })

  it('is no pass where it was interrupted, and its ledger counts what was done', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rxraft-sim-'))
    try {
      const ledger = join(directory, 'ledger')
      const running = spawn(process.execPath, [bin, 'sim', '--hours', '1000', '--for-ms', '1000', '--ledger', ledger, '--json'])
      let out = ''
      running.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
      // The first line of progress comes with the first history.
      running.stderr.once('data', () => running.kill('SIGINT'))
      const [code] = (await once(running, 'exit')) as [number]
      const report = JSON.parse(out) as { readonly seeds: number }
      expect(code).toBe(1)
      expect(report).toMatchObject({ ok: false, reason: 'Interrupted', violations: 0 })
      expect(JSON.parse(readFileSync(ledger, 'utf8'))).toMatchObject({ seeds: report.seeds, violations: 0 })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('does not take the hours of a run that failed for a pass', () => {
    const directory = mkdtempSync(join(tmpdir(), 'rxraft-sim-'))
    try {
      const ledger = join(directory, 'ledger')
      const line = {
        commit: 'abc',
        firstSeed: 1,
        seeds: 9,
        hours: 5,
        operations: 1,
        violations: 1,
        repeat: 'rxraft sim --seed 9 --explain',
      }
      writeFileSync(ledger, `${JSON.stringify({ ...line, violations: 0 })}\n`)
      expect(sim('--until', '5h', '--ledger', ledger)).toMatchObject({ ok: true, ledgerHours: 5, seeds: 0 })
      writeFileSync(ledger, `${JSON.stringify(line)}\n`)
      const { status, stderr } = spawnSync(process.execPath, [bin, 'sim', '--until', '5h', '--ledger', ledger], { encoding: 'utf8' })
      expect(status).toBe(1)
      expect(stderr).toContain('Repeat it: rxraft sim --seed 9 --explain.')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('goes on where the ledger ends', () => {
    const directory = mkdtempSync(join(tmpdir(), 'rxraft-sim-'))
    try {
      const ledger = join(directory, 'ledger')
      sim('--until', '0.0002', '--ledger', ledger, '--for-ms', '1000', '--workers', '1')
      sim('--until', '0.0004', '--ledger', ledger, '--for-ms', '1000', '--workers', '1')
      const lines = readFileSync(ledger, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { firstSeed: number; seeds: number })
      expect(lines).toHaveLength(2)
      expect(lines[1]!.firstSeed).toBe(1 + lines[0]!.seeds)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
