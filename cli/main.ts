import { readFileSync } from 'node:fs'
import { processIo } from './io.js'
import { exitCodes, jsonOf, type Outcome } from './outcome.js'
import { run } from './program.js'

const io = processIo()
const argv = process.argv.slice(2)

// Whoever read our output has heard enough: `rxraft watch | head -1`.
io.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { readonly version: string }

const report = (outcome: Outcome): void => {
  process.exitCode = exitCodes[outcome._tag]
  if (outcome._tag !== 'Done') io.stderr.write(`${outcome.message.replace(/^/gm, 'rxraft: ')}\n`)
  else if (!json) io.stdout.write(outcome.text)
  if (json) io.stdout.write(`${JSON.stringify(jsonOf(outcome))}\n`)
}

// A command line that was not understood may still say how it wants to be answered.
const json = argv.includes('--json')

const outcome = await run(argv, version, io)
if (outcome !== null) report(outcome)
