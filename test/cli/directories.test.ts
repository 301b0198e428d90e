import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstValueFrom, lastValueFrom } from 'rxjs'
import { localPeers, peer } from '../../cli/config/peer.js'
import { clusterNameOf, homeOf, settleHomes } from '../../cli/server/directories.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { type Identity, readIdentity } from '../../streams/storage/disk/identity.js'

const peers = localPeers(7400)

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'rxraft-homes-'))
})
afterEach(() => rm(data, { recursive: true }))

const settle = (cluster?: string): Promise<unknown> => lastValueFrom(settleHomes(data, peers, cluster), { defaultValue: 'settled' })
const identities = (): Promise<ReadonlyArray<Identity>> => Promise.all(peers.map(({ id }) => lastValueFrom(readIdentity(homeOf(data, id)))))

describe('the directories of a cluster', () => {
  it('are made at the first start and left alone at later ones', async () => {
    await settle()
    const made = await identities()
    expect(made.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3'])
    expect(new Set(made.map(({ clusterId }) => clusterId)).size).toBe(1)
    expect(await settle()).toBe('settled')
    expect(await identities()).toEqual(made)
  })

  it('hold a first configuration that says where each server is reached', async () => {
    await settle()
    const disk = await firstValueFrom(diskStorage(homeOf(data, 'n1')).open())
    expect(disk.recovered.log.configuration).toMatchObject({
      _tag: 'Simple',
      version: 1,
      voters: [1, 2, 3].map((n) => ({
        id: `n${n}`,
        incarnation: null,
        peerAddress: { host: '127.0.0.1', port: 7500 + n },
        clientAddress: { host: '127.0.0.1', port: 7400 + n },
      })),
    })
  })

  it('are not made anew where one is missing: it would have forgotten its votes', async () => {
    await settle()
    await rm(homeOf(data, 'n2'), { recursive: true })
    await expect(settle()).rejects.toMatchObject({
      _tag: 'Incomplete',
      message: expect.stringContaining('holds n1, n3 but not n2'),
    })
  })

  it('are those of one cluster', async () => {
    await settle('here')
    await rm(homeOf(data, 'n3'), { recursive: true })
    const elsewhere = settleHomes(data, peers.slice(2), 'there')
    await lastValueFrom(elsewhere, { defaultValue: null })
    await expect(settle()).rejects.toMatchObject({ _tag: 'WrongIdentity', message: expect.stringContaining('(here and there)') })
  })
})

describe('the name of a cluster', () => {
  it('follows from its servers, in whatever order they are listed', () => {
    const [a, b] = [peer('n1=h:1/2')!, peer('n2=h:3/4')!]
    expect(clusterNameOf([a, b])).toBe(clusterNameOf([b, a]))
    expect(clusterNameOf([a])).not.toBe(clusterNameOf([a, b]))
    expect(clusterNameOf([a])).toMatch(/^cluster-[0-9a-f]{8}$/)
  })
})
