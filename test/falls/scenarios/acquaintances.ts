import fc from 'fast-check'
import { either } from 'fp-ts'
import { lastValueFrom } from 'rxjs'
import { votersOnly } from '../../../src/raft/configuration.js'
import { nodeId } from '../../../src/raft/ids.js'
import {
  type Acquaintances,
  type Greeting,
  greetingTo,
  helloFrame,
  objection,
  readGreeting,
} from '../../../streams/network/tcp/greeting.js'
import { frameHeaderBytes } from '../../../streams/network/tcp/frame.js'
import { settled, type TcpSettings } from '../../../streams/network/tcp/options.js'
import { bootstrap } from '../../../streams/storage/disk/bootstrap.js'
import { readIdentity } from '../../../streams/storage/disk/identity.js'
import { ForgetfulDisk } from '../../storage/powerLoss.js'
import { findings, type Scenario, spread } from './scenario.js'

const ids = ['n1', 'n2', 'n3'] as const
type Id = (typeof ids)[number]
const clusterId = 'test'
/** On each disk there is one. */
const directory = 'data/n1'

/** One run of a server. */
interface Running {
  readonly settings: TcpSettings
  readonly disk: ForgetfulDisk
  readonly met: Acquaintances
  /** What the oracle goes by: with which disk each name was let in, whatever that says of itself. */
  readonly letIn: Map<Id, ForgetfulDisk>
}

const history = fc.array(
  fc.record({
    what: fc.constantFrom('meet', 'meet', 'meet', 'restart', 'empty disk', 'former disk', 'stranger'),
    who: fc.constantFrom(...ids),
    whom: fc.constantFrom(...ids),
    n: fc.nat(11),
  }),
  { minLength: 15, maxLength: 40, size: 'max' },
)

/** What a greeting may have wrong, and is turned away for whoever sends it. */
const wrong: ReadonlyArray<Partial<Greeting>> = [
  { clusterId: 'shop' },
  { to: 'n9' },
  { from: nodeId('n9') },
  { constants: { maxFrameBytes: 5 } },
]

/**
 * Servers greet each other, stop, and come back: with their disk, with an empty one, with one that they had before; strangers use their
 * names. While a server runs, a name belongs to the disk with which it was first let in: another one has forgotten its votes.
 */
export const acquaintances: Scenario = {
  name: 'acquaintances',
  checks: ['let in', 'turned away'],
  run: async (seed) => {
    const [moves = []] = fc.sample(history, { numRuns: 1, seed: spread(seed) })
    const { say, violations } = findings()
    const disks = new Map<Id, ForgetfulDisk[]>(ids.map((id) => [id, []]))
    const running = new Map<Id, Running>()

    const start = async (id: Id, disk: ForgetfulDisk): Promise<void> => {
      const { incarnation } = await lastValueFrom(readIdentity(directory, disk.fileSystem))
      const address = { host: 'localhost', port: 1 }
      const peers = Object.fromEntries(ids.map((peer) => [peer, address]))
      const settings = settled({ id, clusterId, incarnation, listen: address, peers })
      running.set(id, { settings, disk, met: new Map(), letIn: new Map() })
    }
    const startAnew = async (id: Id): Promise<void> => {
      const disk = new ForgetfulDisk()
      await lastValueFrom(bootstrap(directory, { id, clusterId, configuration: votersOnly(ids.map(nodeId)) }, disk.fileSystem))
      disks.get(id)!.push(disk)
      await start(id, disk)
    }
    /** Whether `host` lets `guest` in, who says `lies` of itself. */
    const greet = (guest: Id, host: Id, lies: Partial<Greeting> = {}): boolean => {
      const [{ settings, met, letIn }, { disk, settings: theirs }] = [running.get(host)!, running.get(guest)!]
      const hello = helloFrame({ ...greetingTo(nodeId(host), theirs), ...lies }).subarray(frameHeaderBytes)
      const greeting = readGreeting(hello, settings)
      const reason = either.isLeft(greeting) ? greeting.left : objection(greeting.right, settings, met)
      const former = letIn.get(guest)
      const mayEnter = Object.keys(lies).length === 0 && (former === undefined || former === disk)
      if (reason === null && !mayEnter) say('let in', `${host} lets in ${guest}, with ${former === undefined ? 'lies' : 'another disk'}`)
      if (reason !== null && mayEnter) say('turned away', `${host} turns away ${guest}: ${reason}`)
      if (reason === null) letIn.set(guest, former ?? disk)
      return reason === null
    }

    try {
      for (const id of ids) await startAnew(id)
      for (const { what, who, whom, n } of moves) {
        const had = disks.get(who)!
        if (what === 'restart') await start(who, running.get(who)!.disk)
        else if (what === 'empty disk') await startAnew(who)
        else if (what === 'former disk') await start(who, had[n % had.length]!)
        else if (who !== whom && what === 'stranger') {
          greet(who, whom, wrong[n % wrong.length])
        } else if (who !== whom && greet(who, whom)) greet(whom, who)
      }
    } catch (error) {
      say('turned away', (error as Error).message)
    }
    return violations()
  },
}
