import { describe, expect, it } from '@jest/globals'
import { type Configuration, votersOnly } from '../../src/raft/state/configuration.js'
import { nodeId } from '../../src/raft/ids.js'
import { addressBook } from '../../streams/network/addressBook.js'

const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map(nodeId) as never as readonly ReturnType<typeof nodeId>[]
const at = (port: number) => ({ host: '10.0.0.1', port })
const book = (...args: Parameters<typeof addressBook>) => Object.fromEntries(addressBook(...args))

describe('the address book', () => {
  const configuration = votersOnly([{ id: n1!, peerAddress: at(1) }, { id: n2!, peerAddress: at(2), clientAddress: at(82) }, { id: n3! }])

  it('has the peers that were given, where there is no configuration', () => {
    expect(book(n1!, { n1: at(9), n2: at(8) }, null)).toEqual({ n2: at(8) })
  })

  it('has the peer addresses of members, and not its own server', () => {
    expect(book(n1!, {}, configuration)).toEqual({ n2: at(2) })
  })

  it('goes by the peers that were given where both say something', () => {
    expect(book(n1!, { n2: at(8), n3: at(7), n4: at(6) }, configuration)).toEqual({ n2: at(8), n3: at(7), n4: at(6) })
  })

  it('has learners, and the members of both halves of a joint configuration, by their new address', () => {
    const learner = { id: n4!, incarnation: null, peerAddress: at(4) }
    const old = { ...configuration, learners: [learner] }
    const joint: Configuration = { _tag: 'Joint', old, new: votersOnly([{ id: n2!, peerAddress: at(22) }]) }
    expect(book(n1!, {}, joint)).toEqual({ n2: at(22), n4: at(4) })
  })

  it('leaves out what is no name of a server', () => {
    expect(book(n1!, { 'N 2': at(2) }, null)).toEqual({})
  })
})
