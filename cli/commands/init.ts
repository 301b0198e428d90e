import { either } from 'fp-ts'
import { lastValueFrom } from 'rxjs'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { type Beginning, bootstrapFrom } from '../../streams/storage/disk/bootstrapFrom.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import type { Command } from '../command.js'
import { refusedBy } from '../commandError.js'
import { done, usage } from '../outcome.js'
import { clusterNameOf, configurationOf } from '../server/directories.js'
import { membershipOf } from '../server/member.js'
import { count, size } from '../view/format.js'

/** `rxraft init`: the data directory of one server; with `--from`, one that begins with what another cluster left. */
export const init: Command = async ({ settings, options }) => {
  const membership = membershipOf(settings)
  if (either.isLeft(membership)) return membership.left
  const { self, peers, directory } = membership.right
  const { cluster = clusterNameOf(peers) } = settings
  const { from } = options
  if (from === '') return usage('Usage', '--from is "", not the path of a directory')
  if (from !== undefined && settings.cluster === undefined)
    return usage('Configuration', 'With --from a new cluster begins: name it, with --cluster NAME, otherwise than the old one.')
  const server = { id: self.id, clusterId: cluster, configuration: configurationOf(peers) }
  try {
    if (typeof from !== 'string') {
      const { id, clusterId, incarnation } = await lastValueFrom(bootstrap(directory, server))
      return done({ id, cluster: clusterId, incarnation, directory }, made(directory, clusterId, id, peers))
    }
    const beginning = await lastValueFrom(bootstrapFrom(directory, { ...server, from: diskStorage(from) }))
    const { id, clusterId, incarnation, ...holds } = beginning
    return done(
      { id, cluster: clusterId, incarnation, directory, from, ...holds },
      `${found(from, beginning)}${made(directory, clusterId, id, peers)}${onlyOne(id)}`,
    )
  } catch (error) {
    return refusedBy(error)
  }
}

const made = (directory: string, cluster: string, id: string, peers: ReadonlyArray<{ readonly id: string }>): string =>
  `${directory} is ${id} of ${cluster}, with ${peers.map((peer) => peer.id).join(', ')}. Now: rxraft serve --id ${id} --peers … --data ${directory}\n` +
  `The first election needs all of them. Keep ${directory}: a lost disk costs the name ${id} until members can be changed.\n`

const found = (from: string, { lastTerm, lastIndex, commitIndex, bytes }: Beginning): string =>
  `${from} ends with entry ${count(lastIndex)} of term ${count(lastTerm)}, is known to be committed up to ${count(commitIndex)}, and holds ${size(bytes)}.\n`

const onlyOne = (id: string): string => `Make the other servers without --from: they get everything from ${id}.\n`
