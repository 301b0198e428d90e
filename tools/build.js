/**
 * Compiles dist/esm and dist/cjs and bundles dist/cli, side by side. All grow in a directory of their own that then takes the place of
 * dist: a failed build leaves the former one whole, and a running server or test never reads a half-written one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.js'
import { keepReachable } from './declarations.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

// A sibling of dist, so that the relative paths in source maps stay right after the move.
const next = `dist-${process.pid}`

const compile = async (format) => {
  const to = ['-p', `tsconfig.${format}.json`, '--outDir', `${next}/${format}`]
  const tsc = spawn(process.execPath, ['node_modules/@typescript/native/bin/tsc', ...to], { stdio: 'inherit' })
  const [code] = await once(tsc, 'exit')
  return code === 0
}

try {
  const compiled = await Promise.all([compile('esm'), compile('cjs'), bundle(`${next}/cli`).then(() => true)])
  if (compiled.every(Boolean)) {
    for (const format of ['esm', 'cjs']) keepReachable(`${next}/${format}`)
    writeFileSync(`${next}/cjs/package.json`, '{ "type": "commonjs" }\n')
    rmSync('dist', { recursive: true, force: true })
    renameSync(next, 'dist')
  } else {
    process.exitCode = 1
  }
} finally {
  rmSync(next, { recursive: true, force: true })
}
