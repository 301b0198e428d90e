import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EMPTY, NEVER } from 'rxjs'
import { checkedStep } from '../../src/raft/invariants.js'
import { nodeId } from '../../src/raft/ids.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { make } from '../../streams/lab/make.js'
import { labNetwork } from '../../streams/lab/network.js'
import type { LabOptions } from '../../streams/lab/options.js'
import { memoryPersister } from '../../streams/lab/persister.js'
import { memoryNetwork, type MemoryNetworkOptions } from '../../streams/network/memory/memoryNetwork.js'
import { tcpNetwork } from '../../streams/network/tcp/tcpNetwork.js'
import { createRaft } from '../../streams/server/createRaft.js'
import { defaultTuning, type RaftOptions } from '../../streams/server/options.js'
import { bootstrap, type Bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { bootstrapFrom, type BootstrapFrom } from '../../streams/storage/disk/bootstrapFrom.js'
import { type DiskOptions, diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { nodeFileSystem } from '../../streams/storage/disk/fileSystem.js'
import { memoryStorage, type MemoryStorageOptions } from '../../streams/storage/memory/memoryStorage.js'
import { createClock, realClock } from '../../streams/time/clock.js'
import { bytes } from '../../streams/wire/codec.js'
import { rowsOf } from './table.js'

const random = (): number => 0
const incarnation = '0123456789abcdef0123456789abcdef'
const directory = mkdtempSync(join(tmpdir(), 'rxraft-options-'))
afterAll(() => rmSync(directory, { recursive: true }))

const configuration = votersOnly([nodeId('n1')])

const tables = [
  rowsOf<RaftOptions>({
    name: 'createRaft',
    build: createRaft,
    works: {
      ...defaultTuning,
      id: 'n1',
      network: memoryNetwork().join('n1'),
      storage: memoryStorage(['n1']),
      stateMachine: () => NEVER,
      snapshots: {},
      codec: bytes,
      scheduler: realClock,
      random,
      step: checkedStep,
    },
    required: ['id', 'network', 'storage'],
    wrong: {
      snapshots: [{ everyEntries: '5' }, { everyBytes: -1 }],
      codec: [{}],
      storage: [{}],
      electionTimeoutMs: [{ min: '300', max: 600 }],
    },
  }),
  rowsOf({
    name: 'tcpNetwork',
    build: tcpNetwork,
    works: {
      id: 'n1',
      clusterId: 'c',
      incarnation,
      listen: { host: '127.0.0.1', port: 0 },
      peers: {},
      constants: {},
      maxFrameBytes: 1,
      maxQueueMessages: 1,
      maxQueueBytes: 1,
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      connectTimeoutMs: 1,
      handshakeTimeoutMs: 1,
      idleTimeoutMs: 1,
      backoffMs: { min: 1, max: 1 },
      metricsMs: 1,
      random,
      scheduler: realClock,
    },
    required: ['id', 'clusterId', 'incarnation', 'listen', 'peers'],
    wrong: {
      listen: [{ host: 'h' }, { host: 'h', port: '80' }, { port: 80 }],
      peers: [{ n2: null }, { n2: 'n2:80' }, { n2: { host: 'n2', port: -1 } }],
      backoffMs: [{ min: 2, max: 1 }],
    },
  }),
  rowsOf<MemoryNetworkOptions>({
    name: 'memoryNetwork',
    build: memoryNetwork,
    works: { delayMs: { min: 0, max: 1 }, loss: 0, duplication: 0, reordering: 0, scheduler: realClock, random, maxInFlight: 1 },
    wrong: {
      loss: [1.5],
      delayMs: [
        { min: 2, max: 1 },
        { min: '0', max: 1 },
      ],
    },
  }),
  rowsOf<MemoryStorageOptions>({
    name: 'memoryStorage',
    build: (options) => memoryStorage(['n1'], options),
    works: { writeMs: 1, scheduler: realClock, failAtWrite: 1, maxBytes: 1, onAbandon: 'kept', random, incarnation },
    required: ['scheduler'], // where writes take time
    wrong: { onAbandon: ['burnt'], incarnation: ['x'] },
  }),
  rowsOf<DiskOptions>({
    name: 'diskStorage',
    build: (options) => diskStorage(directory, options),
    works: { id: 'n1', clusterId: 'c', segmentBytes: 1, growBytes: 1, markAfterMs: 1, scheduler: realClock, fileSystem: nodeFileSystem },
    wrong: { segmentBytes: [0, 2 ** 40] },
  }),
  rowsOf<Bootstrap>({
    name: 'bootstrap',
    build: (options) => bootstrap(directory, options),
    works: { id: 'n1', clusterId: 'c', configuration, incarnation },
    required: ['id', 'clusterId', 'configuration'],
    wrong: { configuration: [['n1']], incarnation: ['x'] },
  }),
  rowsOf<BootstrapFrom>({
    name: 'bootstrapFrom',
    build: (options) => bootstrapFrom(directory, options),
    works: { id: 'n1', clusterId: 'c', configuration, incarnation, from: diskStorage(directory) },
    required: ['id', 'clusterId', 'configuration', 'from'],
  }),
  rowsOf({
    name: 'createClock',
    build: createClock,
    works: { now: () => 0, startTimer: () => () => undefined, soon: () => undefined },
    required: ['now', 'startTimer', 'soon'],
  }),
  rowsOf({
    name: 'labNetwork',
    build: labNetwork,
    works: { servers: 3, scheduler: realClock, random },
    required: ['servers'],
  }),
  rowsOf<LabOptions>({
    name: 'make',
    build: (options) => make([{ call: () => EMPTY }], 0, memoryPersister(), {}, options).kill(),
    works: {
      scheduler: realClock,
      random,
      codec: bytes as NonNullable<LabOptions['codec']>,
      heartbeatMs: 1,
      electionTimeoutMs: { min: 400, max: 800 },
      commitNoticeMs: 1,
      step: checkedStep,
    },
    wrong: { electionTimeoutMs: [{ min: '2', max: 3 }] },
  }),
]

describe.each(tables)('options of $name: undefined is left out, another kind of value is InvalidOption', ({ rows }) => {
  it.each(rows)('$option', ({ tried, expected }) => {
    expect(tried()).toEqual(expected)
  })
})
