import { AsyncSubject, type Observable, of } from 'rxjs'
import { either } from 'fp-ts'
import type { Get, KvCommand, KvRequest, Range } from '../../../src/kv/command.js'
import { decodeRequest, encodeRequest } from '../../../src/kv/requestCodec.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Proposal, ProposalEvent } from '../../sinks/proposal.js'
import type { KvReply } from '../reply.js'
import type { Read } from './reads.js'

export interface CarrierOptions {
  readonly propose: (command: Uint8Array) => Proposal<KvResult>
  readonly read: Read
}

/**
 * Carries requests out, each at the call and once: reads by reading, everything else through the log. The reply is
 * replayed.
 */
export const carrier = ({ propose, read }: CarrierOptions) => {
  const write = ({ command }: KvRequest, bytes: Uint8Array): Observable<KvReply> => {
    if (command._tag === 'Expire') return of({ _tag: 'Malformed', reason: 'only the leader itself may expire sessions' })
    const reply$ = new AsyncSubject<KvReply>()
    propose(bytes).subscribe((event) => {
      const reply = replyIn(event)
      if (reply === null) return
      reply$.next(reply)
      reply$.complete()
    })
    return reply$
  }

  return {
    submit: (request: KvRequest): Observable<KvReply> =>
      isQuery(request.command) ? read(request.command) : write(request, encodeRequest(request)),
    /** Decodes the request here: bytes that make no sense never enter the log, and reads do without it. */
    submitBytes: (bytes: Uint8Array, hasRoom: () => boolean): Observable<KvReply> => {
      const decoded = decodeRequest(bytes)
      if (either.isLeft(decoded)) return of({ _tag: 'Malformed', reason: `${decoded.left.reason} (at byte ${decoded.left.at})` })
      const { command } = decoded.right
      return isQuery(command) ? read(command, hasRoom) : write(decoded.right, bytes)
    },
  }
}

const isQuery = (command: KvCommand): command is Get | Range => command._tag === 'Get' || command._tag === 'Range'

/** The reply that a proposal ends with; null where it has not ended. */
const replyIn = (event: ProposalEvent<KvResult>): KvReply | null => {
  switch (event._tag) {
    case 'Applied':
      return event.result
    case 'NotLeader':
    case 'Overloaded':
      return event
    case 'Indeterminate':
      return { _tag: 'Indeterminate' }
    case 'Appended':
    case 'Committed':
      return null
  }
}
