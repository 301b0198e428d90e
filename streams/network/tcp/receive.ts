import { either } from 'fp-ts'
import { admit, type LinkEnds, type Received } from '../../sinks/inbound.js'
import type { Rejected } from '../network.js'
import { messageIn } from './frame.js'

/** What the payload of a message frame says, from the server that is at the other end. */
export const receive = (payload: Uint8Array, ends: LinkEnds): Received | Rejected => {
  const message = messageIn(payload)
  return either.isLeft(message) ? { _tag: 'Rejected', from: ends.from, kind: 'message', reason: message.left } : admit(message.right, ends)
}
