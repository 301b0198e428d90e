import { either } from 'fp-ts'
import { lastValueFrom } from 'rxjs'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import type { Command } from '../command.js'
import { done } from '../outcome.js'
import { clusterNameOf, configurationOf } from '../server/homes.js'
import { membershipOf } from '../server/member.js'
import { refusedBy } from '../commandError.js'

/** `rxraft init`: the data directory of one server. */
export const init: Command = async ({ settings }) => {
  const membership = membershipOf(settings)
  if (either.isLeft(membership)) return membership.left
  const { self, peers, directory } = membership.right
  const { cluster = clusterNameOf(peers) } = settings
  try {
    const identity = await lastValueFrom(bootstrap(directory, { id: self.id, clusterId: cluster, configuration: configurationOf(peers) }))
    const { id, clusterId, incarnation } = identity
    return done(
      { id, cluster: clusterId, incarnation, directory },
      `${directory} is ${id} of ${clusterId}, with ${peers.map((peer) => peer.id).join(', ')}. Now: rxraft serve --id ${id} --peers … --data ${directory}\n`,
    )
  } catch (error) {
    return refusedBy(error)
  }
}
