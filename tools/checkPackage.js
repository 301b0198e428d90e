/**
 * Packs the package as it would be published, installs the tarball in an empty directory and uses it there in every way it promises:
 * as ES modules, as CommonJS, from TypeScript, bundled for a browser and in one, and as a command. Needs a build; test/package holds what is run.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, inChromium } from './inChromium.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const consumer = mkdtempSync(join(tmpdir(), 'rxraft-package-'))
const entries = {
  index: 'rxraft',
  core: 'rxraft/core',
  kv: 'rxraft/kv',
  node: 'rxraft/node',
  testing: 'rxraft/testing',
  lab: 'rxraft/lab',
}

const run = (command, ...args) => execFileSync(command, args, { cwd: consumer, encoding: 'utf8', stdio: 'pipe', timeout: 120_000 })
const tool = (name, ...args) => run(join(root, 'node_modules', '.bin', name), ...args)
const write = (file, text) => writeFileSync(join(consumer, file), text)

const surface = (entry) =>
  readFileSync(join(root, 'test', 'surface', `${entry}.txt`), 'utf8')
    .trimEnd()
    .split('\n')
const isType = (name) => name.startsWith('type ')
const isOfNamespace = (name) => name.includes('.')

/** The hash of one seed's simulation, as Node and as a browser gives it. */
const histories = new Set()

/** What a consumer printed, `{ entry: names }`, against the public names that are written down. */
const expectNames = (printed) => {
  const { history, ...entriesPrinted } = JSON.parse(printed)
  if (history !== undefined) histories.add(history)
  if (histories.size > 1) throw new Error(`the simulation of one seed is another history there: ${[...histories].join(', ')}`)
  for (const [entry, names] of Object.entries(entriesPrinted)) {
    const expected = surface(entry).filter((name) => !isType(name) && !isOfNamespace(name))
    const differing = [...names.filter((name) => !expected.includes(name)), ...expected.filter((name) => !names.includes(name))]
    if (differing.length > 0) throw new Error(`${entries[entry]} and test/surface/${entry}.txt differ in: ${differing.join(', ')}`)
  }
}

/** A file that names every public type of an entry. */
const writeTypes = (entry, extension) => {
  const names = surface(entry).filter((name) => isType(name) && !isOfNamespace(name))
  write(`${entry}.${extension}`, `export { ${names.join(', ')} } from '${entries[entry]}'\n`)
  return `${entry}.${extension}`
}

const typeCheck = (files, options) => {
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    target: 'ES2022',
    typeRoots: [join(root, 'node_modules/@types')],
    ...options,
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
  tool('tsc', '-p', '.')
}

const bundle = (file, to = 'bundle.js') =>
  tool('esbuild', file, '--bundle', '--platform=browser', '--format=iife', '--global-name=bundle', `--outfile=${to}`, '--log-level=error')

const failureOf = (attempt) => {
  try {
    attempt()
    return ''
  } catch ({ message }) {
    return message
  }
}

const pack = () => {
  const [{ filename }] = JSON.parse(run('npm', 'pack', root, '--ignore-scripts', '--json'))
  return join(consumer, filename)
}

const checks = {
  'publint finds nothing': (tarball) => tool('publint', '--strict', tarball),
  'attw resolves the types of every entry': (tarball) => tool('attw', tarball),
  'it installs': (tarball) => {
    const rxjs = JSON.parse(readFileSync(join(root, 'node_modules/rxjs/package.json'), 'utf8'))
    write('package.json', '{ "private": true }')
    cpSync(join(root, 'test/package'), consumer, { recursive: true })
    run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball, `rxjs@${rxjs.version}`)
  },
  'ES modules import it': () => expectNames(run('node', 'consumer.mjs')),
  'CommonJS requires it': () => expectNames(run('node', 'consumer.cjs')),
  'TypeScript knows it in Node': () => {
    for (const extension of ['mts', 'cts']) copyFileSync(join(consumer, 'typed.ts'), join(consumer, `typed.${extension}`))
    const files = Object.keys(entries).flatMap((entry) => [writeTypes(entry, 'mts'), writeTypes(entry, 'cts')])
    typeCheck(['typed.mts', 'typed.cts', ...files], { module: 'nodenext', types: ['node'] })
  },
  'TypeScript knows it in a browser, without the types of Node': () => {
    const files = ['index', 'core', 'kv', 'testing', 'lab'].map((entry) => writeTypes(entry, 'ts'))
    typeCheck(['typed.ts', ...files], { module: 'esnext', moduleResolution: 'bundler', lib: ['ES2023', 'DOM'], types: [] })
  },
  'a browser runs its bundle': () => {
    bundle('browser.js')
    expectNames(run('node', 'page.cjs'))
  },
  'Chromium runs it, and its simulation of a seed is the history that Node’s is': async () => {
    const browser = chromium()
    if (browser === undefined && process.env.CI === undefined) return { leftOut: 'there is none here; on Debian: apt-get install chromium' }
    bundle('chromium.js', 'chromium.bundle.js')
    expectNames(await inChromium(browser ?? 'chromium', join(consumer, 'chromium.bundle.js')))
  },
  'a browser’s bundle of rxraft/node fails, and names the module of Node': () => {
    write('server.js', "export * from 'rxraft/node'\n")
    const failure = failureOf(() => bundle('server.js'))
    if (!failure.includes('Could not resolve "node:')) throw new Error(failure || 'The bundle was made.')
  },
  'the command runs': () => run(join(consumer, 'node_modules/.bin/rxraft'), '--help'),
}

try {
  const tarball = pack()
  for (const [sentence, check] of Object.entries(checks)) {
    const { leftOut } = (await check(tarball)) ?? {}
    console.log(leftOut === undefined ? `✓ ${sentence}` : `– ${sentence}: ${leftOut}`)
  }
} catch (error) {
  console.error(`${error.stdout ?? ''}${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(consumer, { recursive: true, force: true })
}
