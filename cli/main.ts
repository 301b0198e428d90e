import { readFileSync } from 'node:fs'
import { exitCodes, jsonOf, type Outcome } from './outcome.js'
import { run } from './program.js'
import { Readers } from './readers.js'

const { stdout, stderr } = process
const argv = process.argv.slice(2)
// A command line that is not understood may still say how it wants to be answered.
const json = argv.includes('--json')

const readers = new Readers({ stdout, stderr })

// From dist/cli, where this file is bundled.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }

const report = (outcome: Outcome): void => {
  process.exitCode = exitCodes[outcome._tag]
  if (outcome._tag !== 'Done') stderr.write(`${outcome.message.replace(/^/gm, 'rxraft: ')}\n`)
  else if (!json) stdout.write(outcome.text)
  if (json) stdout.write(`${JSON.stringify(jsonOf(outcome))}\n`)
}

const outcome = await run(argv, version, ({ endsWithout }) => readers.need(endsWithout))
if (outcome !== null) report(outcome)
// What was asked for is done: a timer that is still armed somewhere must not keep anybody waiting.
await readers.written()
process.exit()
