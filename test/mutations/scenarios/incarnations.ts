import fc from 'fast-check'
import { either } from 'fp-ts'
import { BehaviorSubject, lastValueFrom } from 'rxjs'
import { type Configuration, votersOnly, withIncarnations } from '../../../src/raft/state/configuration.js'
import { nodeId } from '../../../src/raft/ids.js'
import { Counts } from '../../../streams/network/tcp/counts.js'
import { frameHeaderBytes } from '../../../streams/network/tcp/frame.js'
import { type Greeting, greetingTo, helloFrame, objection, readGreeting } from '../../../streams/network/tcp/greeting.js'
import { tcpSettings } from '../../../streams/network/tcp/options.js'
import { TcpSession } from '../../../streams/network/tcp/session.js'
import { bootstrap } from '../../../streams/storage/disk/bootstrap.js'
import { readIdentity } from '../../../streams/storage/disk/identity.js'
import { ForgetfulDisk } from '../../storage/powerLoss.js'
import { findings, type Scenario, spread } from './scenario.js'

const ids = ['n1', 'n2', 'n3'] as const
type Id = (typeof ids)[number]
const clusterId = 'test'
/** On each disk there is one. */
const directory = 'data/n1'
const nobodyNamed = votersOnly(ids.map(nodeId))

/** One run of a server. */
interface Running {
  readonly session: TcpSession
  readonly disk: ForgetfulDisk
  readonly configuration$: BehaviorSubject<Configuration>
  /** What the oracle goes by: which disk this run has reached at the address of a name. */
  readonly reached: Map<Id, ForgetfulDisk>
}

const history = fc.array(
  fc.record({
    what: fc.constantFrom('call', 'call', 'call', 'first leader', 'restart', 'empty disk', 'former disk', 'stranger'),
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
  { rxraft: 9_999, oldest: 9_998 },
  { constants: { maxFrameBytes: 5 } },
]

/**
 * Servers call each other, stop, and come back: with their disk, with an empty one, with one that they had before;
 * strangers use their names; at some time a first leader names the disks of all, and each disk keeps that. From then on
 * a name belongs to the disk that was named: another one has forgotten its votes. Before, it belongs to the disk that
 * answers at its address.
 */
export const incarnations: Scenario = {
  name: 'incarnations',
  checks: ['let in', 'turned away'],
  run: async (seed) => {
    const [moves = []] = fc.sample(history, { numRuns: 1, seed: spread(seed) })
    const { say, violations } = findings()
    const disks = new Map<Id, ForgetfulDisk[]>(ids.map((id) => [id, []]))
    const running = new Map<Id, Running>()
    /** What the log of each disk says: nothing, or which disk belongs to each name. */
    const named = new Map<ForgetfulDisk, { readonly configuration: Configuration; readonly disks: ReadonlyMap<Id, ForgetfulDisk> }>()

    const start = async (id: Id, disk: ForgetfulDisk): Promise<void> => {
      const { incarnation } = await lastValueFrom(readIdentity(directory, disk.fileSystem))
      const address = { host: 'localhost', port: 1 }
      const peers = Object.fromEntries(ids.map((peer) => [peer, address]))
      const session = new TcpSession(tcpSettings({ id, clusterId, incarnation, listen: address, peers }), new Counts())
      const configuration$ = new BehaviorSubject(named.get(disk)?.configuration ?? nobodyNamed)
      session.follow({ incarnation: null, configuration$ }).subscribe()
      running.set(id, { session, disk, configuration$, reached: new Map() })
    }
    const startAnew = async (id: Id): Promise<void> => {
      const disk = new ForgetfulDisk()
      await lastValueFrom(bootstrap(directory, { id, clusterId, configuration: nobodyNamed }, disk.fileSystem))
      disks.get(id)!.push(disk)
      await start(id, disk)
    }

    /** The first leader is elected once, by everybody. */
    const nameAll = (): void => {
      if (named.size > 0) return
      const now = [...running].map(([id, { session, disk }]) => ({ id, disk, incarnation: session.settings.incarnation }))
      const configuration = withIncarnations(
        nobodyNamed,
        now.map(({ id, incarnation }) => ({ id: nodeId(id), incarnation })),
      )
      for (const { disk } of now) named.set(disk, { configuration, disks: new Map(now.map((it) => [it.id, it.disk])) })
      for (const { configuration$ } of running.values()) configuration$.next(configuration)
    }

    /** Whether `host` has no objection to `guest`, who says `lies` of itself. */
    const accepts = (host: Id, guest: Id, lies: Partial<Greeting>, isCalled: boolean): boolean => {
      const [here, there] = [running.get(host)!, running.get(guest)!]
      const { session } = here
      const hello = helloFrame({ ...greetingTo(nodeId(host), there.session.settings), ...lies }).subarray(frameHeaderBytes)
      const greeting = readGreeting(hello, session.settings)
      // Who calls is compared with what is known of its name; what answers at the address of the name may be news.
      const known = isCalled ? session.known : session.named
      const refusal = either.isLeft(greeting) ? greeting.left : objection(greeting.right, session.settings, known)
      const expected = named.get(here.disk)?.disks.get(guest) ?? (isCalled ? here.reached.get(guest) : undefined)
      const mayEnter = Object.keys(lies).length === 0 && (expected === undefined || expected === there.disk)
      if (refusal === null && !mayEnter) say('let in', `${host} lets in ${guest}, with ${expected === undefined ? 'lies' : 'another disk'}`)
      if (refusal !== null && mayEnter) say('turned away', `${host} turns away ${guest}: ${refusal.reason}`)
      return refusal === null
    }

    /** `who` calls the address of `whom`. */
    const call = (who: Id, whom: Id): void => {
      if (!accepts(whom, who, {}, true) || !accepts(who, whom, {}, false)) return
      const [here, there] = [running.get(who)!, running.get(whom)!]
      here.reached.set(whom, there.disk)
      here.session.reached(nodeId(whom), there.session.settings.incarnation)
    }

    try {
      for (const id of ids) await startAnew(id)
      for (const { what, who, whom, n } of moves) {
        const had = disks.get(who)!
        if (what === 'restart') await start(who, running.get(who)!.disk)
        else if (what === 'first leader') nameAll()
        else if (what === 'empty disk') await startAnew(who)
        else if (what === 'former disk') await start(who, had[n % had.length]!)
        else if (who === whom) continue
        else if (what === 'stranger') accepts(whom, who, wrong[n % wrong.length]!, true)
        else call(who, whom)
      }
    } catch (error) {
      say('turned away', (error as Error).message)
    }
    return violations()
  },
}
