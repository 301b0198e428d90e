import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { catchError, concatMap, defer, EMPTY, forkJoin, from, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import { type Configuration, votersOnly } from '../../src/raft/state/configuration.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { type Identity, readIdentity } from '../../streams/storage/disk/identity.js'
import type { Peer } from '../config/peer.js'
import { type CommandError, expected, refuse } from '../commandError.js'

/** A directory of its own for each server: DATA/n1, DATA/n2, … */
export const homeOf = (data: string, id: string): string => join(data, id)

/**
 * Makes the directories of a whole cluster at its first start, and sees to it that all of them are there
 * later. One alone is never made anew: a server that comes back without its disk has forgotten its votes,
 * and could give a second one in the same term.
 */
export const settleHomes = (data: string, peers: ReadonlyArray<Peer>, cluster: string | undefined): Observable<never> =>
  defer(() => forkJoin(peers.map(({ id }) => lookInto(id, homeOf(data, id))))).pipe(
    mergeMap((homes) => {
      const there = homes.filter(({ identity }) => identity !== null)
      const missing = homes.filter(({ identity }) => identity === null)
      const clusters = new Set(there.map(({ identity }) => identity?.clusterId))
      if (there.length === 0) return found(missing, peers, cluster ?? `local-${randomBytes(4).toString('hex')}`)
      if (missing.length > 0) return refuse(incomplete(data, there, missing))
      return clusters.size === 1 ? EMPTY : refuse(mixed(data, [...clusters].join(' and ')))
    }),
  )

interface Directory {
  readonly id: string
  readonly directory: string
  readonly identity: Identity | null
}

const lookInto = (id: string, directory: string): Observable<Directory> =>
  readIdentity(directory).pipe(
    catchError((error: unknown) => (expected(error)._tag === 'NotBootstrapped' ? of(null) : throwError(() => error))),
    map((identity) => ({ id, directory, identity })),
  )

const found = (homes: ReadonlyArray<Directory>, peers: ReadonlyArray<Peer>, clusterId: string): Observable<never> =>
  from(homes).pipe(
    concatMap(({ id, directory }) => bootstrap(directory, { id, clusterId, configuration: configurationOf(peers) })),
    ignoreElements(),
  )

/** The first configuration: all of `peers` vote, and each is reached where the list says. */
export const configurationOf = (peers: ReadonlyArray<Peer>): Configuration =>
  votersOnly(
    peers.map(({ id, host, peerPort, httpPort }) => ({
      id,
      peerAddress: { host, port: peerPort },
      clientAddress: { host, port: httpPort },
    })),
  )

/** The same on every server that is given the same list, in any order. */
export const clusterNameOf = (peers: ReadonlyArray<Peer>): string => {
  const list = peers.map(({ id, host, peerPort }) => `${id}=${host}:${peerPort}`).sort()
  return `cluster-${createHash('sha256').update(list.join()).digest('hex').slice(0, 8)}`
}

const namesOf = (homes: ReadonlyArray<Directory>): string => homes.map(({ id }) => id).join(', ')

const incomplete = (data: string, there: ReadonlyArray<Directory>, missing: ReadonlyArray<Directory>): CommandError => ({
  _tag: 'Incomplete',
  message:
    `${data} holds ${namesOf(there)} but not ${namesOf(missing)}. If its first start was interrupted, remove ${data} and start again. ` +
    'If a directory was lost, put it back: a server without its disk has forgotten its votes and cannot simply begin anew.',
})

const mixed = (data: string, clusters: string): CommandError => ({
  _tag: 'WrongIdentity',
  message: `The directories in ${data} belong to different clusters (${clusters}): keep each cluster in a directory of its own.`,
})
