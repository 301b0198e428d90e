import type { Lab } from './lab.js'
import * as agreement from './scenarios/agreement.js'
import { churn } from './scenarios/churn.js'
import * as elections from './scenarios/elections.js'
import * as persistence from './scenarios/persistence.js'
import * as snapshots from './scenarios/snapshots.js'
import type { Script } from './script.js'

/** What a run costs, as the lab's own table has it. */
export interface Figures {
  readonly seconds: number
  readonly rpcs: number
  readonly bytes: number
  readonly commits: number
}

export interface LabTest {
  readonly name: string
  readonly part: '3A' | '3B' | '3C' | '3D'
  readonly title: string
  readonly servers: number
  readonly reliable: boolean
  readonly snapshots: boolean
  readonly script: (lab: Lab) => Script
  /** The handout's example; the newer tests have none. */
  readonly handout: Figures | null
  /** Which of the handout's figures are limits here. */
  readonly limits: ReadonlyArray<'rpcs' | 'bytes'>
}

const figures = (seconds: number, rpcs: number, bytes: number, commits: number): Figures => ({ seconds, rpcs, bytes, commits })

type Options = Partial<Pick<LabTest, 'reliable' | 'snapshots' | 'limits'>>

const labTest =
  (part: LabTest['part']) =>
  (name: string, title: string, servers: number, script: LabTest['script'], handout: Figures | null, options: Options = {}): LabTest => ({
    name,
    part,
    title,
    servers,
    script,
    handout,
    reliable: true,
    snapshots: part === '3D',
    limits: ['bytes'],
    ...options,
  })

const [a, b, c, d] = [labTest('3A'), labTest('3B'), labTest('3C'), labTest('3D')]
const economical: Options = { limits: ['rpcs', 'bytes'] }
const unreliable: Options = { reliable: false }

/** The behaviours in the lab's order, each with the handout's line. */
export const labTests: ReadonlyArray<LabTest> = [
  a('InitialElection', 'initial election', 3, elections.initialElection, figures(3.5, 58, 16_840, 0)),
  a('ReElection', 'election after network failure', 3, elections.reElection, figures(5.4, 118, 25_269, 0)),
  a('ManyElections', 'multiple elections', 7, elections.manyElections, figures(7.3, 624, 138_014, 0)),

  b('BasicAgree', 'basic agreement', 3, agreement.basicAgree, figures(0.9, 16, 4_572, 3), economical),
  b('RPCBytes', 'RPC byte count', 3, agreement.rpcBytes, figures(1.7, 48, 114_536, 11), economical),
  b('FollowerFailure', 'progressive failure of followers', 3, agreement.followerFailure, null),
  b('LeaderFailure', 'failure of leaders', 3, agreement.leaderFailure, null),
  b('FailAgree', 'agreement after follower reconnects', 3, agreement.failAgree, figures(3.6, 78, 22_131, 7)),
  b('FailNoAgree', 'no agreement if too many followers disconnect', 5, agreement.failNoAgree, figures(3.8, 172, 40_935, 3)),
  b('ConcurrentStarts', 'concurrent Start()s', 3, agreement.concurrentStarts, figures(1.1, 24, 7_379, 6), economical),
  b('Rejoin', 'rejoin of partitioned leader', 3, agreement.rejoin, figures(5.1, 152, 37_021, 4)),
  b(
    'Backup',
    'leader backs up quickly over incorrect follower logs',
    5,
    agreement.backup,
    figures(17.2, 2_080, 1_587_388, 102),
    economical,
  ),
  b('Count', "RPC counts aren't too high", 3, agreement.count, figures(2.2, 60, 20_119, 12), economical),

  c('Persist1', 'basic persistence', 3, persistence.persist1, figures(5, 86, 22_849, 6)),
  c('Persist2', 'more persistence', 5, persistence.persist2, figures(17.6, 952, 218_854, 16)),
  c('Persist3', 'partitioned leader and one follower crash, leader restarts', 3, persistence.persist3, figures(2, 34, 8_937, 4)),
  c('Figure8', 'Figure 8', 5, persistence.figure8, figures(31.2, 580, 130_675, 32)),
  c('UnreliableAgree', 'unreliable agreement', 5, persistence.unreliableAgree, figures(1.7, 1_044, 366_392, 246), unreliable),
  c('Figure8Unreliable', 'Figure 8 (unreliable)', 5, persistence.figure8Unreliable, figures(33.6, 10_700, 33_695_245, 308), unreliable),
  c('ReliableChurn', 'churn', 5, churn, figures(16.1, 8_864, 44_771_259, 1_544), { limits: [] }),
  c('UnreliableChurn', 'unreliable churn', 5, churn, figures(16.5, 4_220, 6_414_632, 906), { ...unreliable, limits: [] }),

  d('SnapshotBasic', 'snapshots basic', 3, snapshots.snapshotBasic, figures(11.6, 176, 61_716, 192)),
  d('SnapshotInstall', 'install snapshots (disconnect)', 3, snapshots.snapshotInstall, figures(64.2, 878, 320_610, 336)),
  d(
    'SnapshotInstallUnreliable',
    'install snapshots (disconnect+unreliable)',
    3,
    snapshots.snapshotInstall,
    figures(81.1, 1_059, 375_850, 341),
    unreliable,
  ),
  d('SnapshotInstallCrash', 'install snapshots (crash)', 3, snapshots.snapshotInstallCrash, figures(53.5, 601, 256_638, 339)),
  d(
    'SnapshotInstallUnCrash',
    'install snapshots (unreliable+crash)',
    3,
    snapshots.snapshotInstallCrash,
    figures(63.5, 687, 288_294, 336),
    unreliable,
  ),
  d('SnapshotAllCrash', 'crash and restart all servers', 3, snapshots.snapshotAllCrash, figures(19.5, 268, 81_352, 58)),
  d('SnapshotInit', 'snapshot initialization after crash', 3, snapshots.snapshotInit, null),
]
