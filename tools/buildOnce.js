/** Jest's global setup for tests that start real processes: builds if dist is missing or older than what it is made of. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const madeOf = ['src', 'streams', 'cli', 'bench', 'test/lab', 'package.json', 'tsconfig.json', 'tsconfig.esm.json', 'tsconfig.cjs.json']

/** Of a file its own time, of a folder the newest below it; the folder's own time tells of deleted files. */
const changedAtMs = (path) => {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  const below = stat.isDirectory() ? readdirSync(path).map((name) => changedAtMs(join(path, name))) : []
  return Math.max(stat.mtimeMs, ...below)
}

export default () => {
  const builtAtMs = changedAtMs(join(root, 'dist', 'cjs', 'package.json'))
  const stale = madeOf.some((name) => changedAtMs(join(root, name)) > builtAtMs)
  if (stale) execFileSync(process.execPath, [join(root, 'tools', 'build.js')], { stdio: 'inherit' })
}
