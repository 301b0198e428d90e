import * as rxraft from 'rxraft'
import * as node from 'rxraft/node'
import * as lab from 'rxraft/lab'
import * as testing from 'rxraft/testing'
import { agree } from './agree.cjs'

await agree(rxraft)
const history = testing.simulate(7, { servers: 3, forMs: 3_000 }).hash
console.log(
  JSON.stringify({ history, index: Object.keys(rxraft), node: Object.keys(node), testing: Object.keys(testing), lab: Object.keys(lab) }),
)
