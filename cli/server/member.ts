import { either } from 'fp-ts'
import type { Peer } from '../config/peer.js'
import type { Settings } from '../config/settings.js'
import { type Outcome, usage } from '../outcome.js'

/** A server of its own: which of the cluster it is, and where its data lies. */
export interface Membership {
  readonly self: Peer
  readonly peers: ReadonlyArray<Peer>
  readonly directory: string
}

/** What `init` and `serve` need to be told; left, the sentence that says what is missing. */
export const membershipOf = ({ id, peers, data }: Settings): either.Either<Outcome, Membership> => {
  if (id === undefined) return missing('Which server is this? Say --id NAME, RXRAFT_ID or "id" in rxraft.config.json.')
  if (peers === undefined)
    return missing('Who is in the cluster? Say --peers n1=HOST:PEER-PORT/HTTP-PORT,n2=…, RXRAFT_PEERS or "peers" in rxraft.config.json.')
  const self = peers.find((peer) => peer.id === id)
  if (self === undefined)
    return missing(`${id} is not among the peers (${peers.map((peer) => peer.id).join(', ')}): name one of them, or add it.`)
  return either.right({ self, peers, directory: data ?? `./data/${id}` })
}

const missing = (message: string): either.Either<Outcome, never> => either.left(usage('Configuration', message))
