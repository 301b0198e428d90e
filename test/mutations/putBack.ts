import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mutation, putInto } from './mutation.js'

/** What one check needed to see it. */
export interface Caught {
  readonly check: string
  /** How many histories, the one included in which it was seen. */
  readonly seeds: number
  readonly ms: number
  readonly why: string
}

export interface Outcome {
  readonly caught: ReadonlyArray<Caught>
  /** How many histories of each scenario were run to their end. */
  readonly histories: Readonly<Record<string, number>>
}

export interface Limits {
  /** The repository. */
  readonly root: string
  /** For each scenario. */
  readonly seconds: number
  readonly seeds: number
  /** For all of them; what has not come to an end by then is stopped. */
  readonly timeoutMs: number
}

const copied = ['src', 'streams', 'test', 'package.json']

/**
 * Puts the mistakes into a temporary copy of the source, runs the scenarios on it in a process of its own, and says
 * which checks saw something. No mistake is ever in the source itself, not even behind a switch.
 */
export const putBack = async (
  mutation: Pick<Mutation, 'patch' | 'scenarios'>,
  { root, seconds, seeds, timeoutMs }: Limits,
): Promise<Outcome> => {
  const copy = mkdtempSync(join(tmpdir(), 'rxraft-mutation-'))
  try {
    for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    putInto(copy, { name: '', number: null, source: '', ...mutation })
    const child = join(copy, 'child.mjs')
    execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [
      join(copy, 'test/mutations/child.ts'),
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--packages=external',
      '--log-level=error',
      `--outfile=${child}`,
    ])
    return await found(
      spawn(process.execPath, [child, String(seconds), String(seeds), ...mutation.scenarios], {
        cwd: copy,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
      timeoutMs,
    )
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const found = async (child: ReturnType<typeof spawn>, timeoutMs: number): Promise<Outcome> => {
  const deadline = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let out = ''
  let err = ''
  child.stdout!.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr!.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(deadline)
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the scenarios did not run: ${err}`)
  const told = out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Partial<Caught> & { readonly scenario?: string; readonly seeds: number })
  return {
    caught: told.filter((it): it is Caught => it.check !== undefined),
    histories: Object.fromEntries(told.flatMap(({ scenario, seeds }) => (scenario === undefined ? [] : [[scenario, seeds]]))),
  }
}
