import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutationsIn } from './mutation.js'
import { isGood, runAll } from './runAll.js'

/*
 * `npm run mutations [-- part of a name …] [--seconds N] [--seeds N] [--json]` puts each known mistake back, one by
 * one, and reports which check saw it after how many histories. Then as many of the same histories run with no mistake
 * put back: what a check finds there is a false alarm. `--seconds` and `--seeds` bound each scenario. With `--json` the
 * last line of stdout is the report, also where a mistake was not caught or could not be put back; all else goes to
 * stderr.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '40' },
    seeds: { type: 'string', default: '20000' },
  },
})
const root = process.cwd()
const chosen = [...mutationsIn(join(root, 'test/mutations'))].filter(
  ([name]) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
)
const limits = { root, seconds: Number(values.seconds), seeds: Number(values.seeds), timeoutMs: 150_000 }
const report = await runAll(new Map(chosen), limits, (line) => console.error(line))
if (values.json) console.log(JSON.stringify(report))
process.exitCode = isGood(report) ? 0 : 1
