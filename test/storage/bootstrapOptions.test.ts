import { expect, it } from '@jest/globals'
import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import { nodeId } from '../../src/raft/ids.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { found, temporaryDirectory } from './support.js'

const member = (n: number, hostBytes: number) => {
  const address = { host: 'h'.repeat(hostBytes), port: 7501 }
  return { id: nodeId(`n${n}`), peerAddress: address, clientAddress: address }
}
const cluster = (size: number, hostBytes: number) => votersOnly(Array.from({ length: size }, (_, n) => member(n, hostBytes)))

it.each([
  ['none', undefined as never, 'configuration: must be the servers of the cluster: votersOnly([nodeId("n1"), …])'],
  ['one with a host that is too long', cluster(1, 254), 'configuration: must be the servers of the cluster: votersOnly([nodeId("n1"), …])'],
  [
    'one that no entry can hold',
    cluster(120, 253),
    'configuration: takes 77584 bytes, and 65536 are allowed: take fewer members, or shorter host names',
  ],
])('bootstrap refuses a configuration that is %s', (_, configuration, message) => {
  expect(() => bootstrap(temporaryDirectory(), { id: 'n1', clusterId: 'test', configuration })).toThrow(
    expect.objectContaining({ name: 'InvalidOption', message }),
  )
})

it('addresses are on disk as they were given', async () => {
  const directory = join(temporaryDirectory(), 'n1')
  const configuration = cluster(90, 253)
  await lastValueFrom(bootstrap(directory, { id: 'n1', clusterId: 'test', configuration }))
  expect((await found(directory)).log.configuration).toEqual(configuration)
})
