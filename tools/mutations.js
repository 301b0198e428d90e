/** `npm run mutations`: bundles test/mutations/main.ts, which needs no build, and runs it. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const folder = `dist-mutations-${process.pid}`
const options = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=error', `--outfile=${folder}/main.mjs`]
try {
  execFileSync('node_modules/.bin/esbuild', ['test/mutations/main.ts', ...options], { stdio: 'inherit' })
  await import(new URL(`../${folder}/main.mjs`, import.meta.url).href)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
