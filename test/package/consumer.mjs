import * as index from 'rxraft'
import * as core from 'rxraft/core'
import * as kv from 'rxraft/kv'
import * as lab from 'rxraft/lab'
import * as node from 'rxraft/node'
import * as testing from 'rxraft/testing'
import { agree } from './agree.cjs'

const entries = { index, core, kv, node, testing, lab }

await agree(index)
const history = testing.simulate(7, { servers: 3, forMs: 3_000 }).hash
const names = Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry)])
console.log(JSON.stringify({ history, ...Object.fromEntries(names) }))
