import { either } from 'fp-ts'
import * as t from 'io-ts'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Rejected } from '../network.js'
import { frameOf, frameType } from './frame.js'

/*
 * How a connection ends on which something is wrong: the last frame holds a code and no value of the server that sends
 * it. The refused server turns the code into advice for its operator; the refusing one has the details in its own
 * `Rejected`.
 */

const codes = {
  version: null,
  cluster: null,
  name: null,
  constants: null,
  incarnation: null,
  timeout: null,
  frame: null,
  message: null,
  limit: null,
} as const

const RefusalCode = t.keyof(codes, 'RefusalCode')
/**
 * What is wrong: with the greeting (`version` to `incarnation`), its lateness, a frame, a message, or a bound that is
 * reached.
 */
export type RefusalCode = t.TypeOf<typeof RefusalCode>

const Close = t.readonly(t.type({ code: RefusalCode }), 'Close')

export const closeFrame = (code: RefusalCode): Uint8Array => frameOf(frameType.close, Buffer.from(JSON.stringify({ code })))

/** The code in a close frame; null where there is none that this version knows. */
export const readClose = (payload: Uint8Array): RefusalCode | null => {
  const json = either.tryCatch(
    () => JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()) as unknown,
    () => null,
  )
  const close = either.chainW((value: unknown) => Close.decode(value))(json)
  return either.isRight(close) ? close.right.code : null
}

/** Of which kind a rejection is. */
export const kindOf = (code: RefusalCode): Rejected['kind'] =>
  code === 'frame' || code === 'message' || code === 'limit' ? code : 'handshake'

/** What the operator of the server `id` may do when `peer` has turned it away. */
export const advice = (code: RefusalCode | null, id: NodeId, peer: NodeId): string => {
  switch (code) {
    case 'version':
      return `${peer} speaks another version of the protocol: run versions of rxraft that understand each other.`
    case 'cluster':
      return `${peer} belongs to another cluster: correct its address, or the cluster of one of the two data directories.`
    case 'name':
      return `${peer} is not the server that was called, or does not know ${id}: compare names and addresses in the lists of peers of both.`
    case 'constants':
      return `${peer} has other constants: give all servers of the cluster the same least election timeout and maxFrameBytes.`
    case 'incarnation':
      return `another data directory belongs to the name ${id}, as ${peer} knows: start ${id} with that one. A server that lost its disk must not vote under its old name again.`
    case 'timeout':
      return `${peer} heard no greeting in time: look at the network between the two, and at how busy both are.`
    case 'frame':
    case 'message':
      return `${peer} did not understand what it was sent: run versions of rxraft that understand each other.`
    case 'limit':
      return `${peer} takes no more connections: see who else calls it, or raise its maxConnections.`
    case null:
      return `the reason that ${peer} gave is not understood: run versions of rxraft that understand each other.`
  }
}
