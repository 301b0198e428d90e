import type { Address } from '../../src/raft/state/address.js'
import { type Configuration, memberOf, members } from '../../src/raft/state/configuration.js'
import { NodeId } from '../../src/raft/ids.js'

/** Where each server is called. */
export type AddressBook = ReadonlyMap<NodeId, Address>

/**
 * The address book of the server `id`: `peers`, which its operator gave, and the peer addresses of the members that are
 * not among these. It says where to call and nothing else. A server that is not in it is still heard (thesis §4.1).
 */
export const addressBook = (id: NodeId, peers: Readonly<Record<string, Address>>, configuration: Configuration | null): AddressBook => {
  const book = new Map<NodeId, Address>()
  for (const [peer, address] of Object.entries(peers)) if (NodeId.is(peer) && peer !== id) book.set(peer, address)
  if (configuration === null) return book
  for (const member of members(configuration)) {
    const address = memberOf(configuration, member)?.peerAddress
    if (address !== undefined && member !== id && !book.has(member)) book.set(member, address)
  }
  return book
}
