import { AsyncSubject, type Observable, of, type SchedulerLike, type Subscription } from 'rxjs'
import { anonymous, type Get, type Range } from '../../../src/kv/command.js'
import { encodeRequest } from '../../../src/kv/requestCodec.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import type { Proposal } from '../../sinks/proposal.js'
import type { KvReply } from '../reply.js'
import { answering, type AnsweringOptions, type PendingRead } from './answering.js'

export interface ReadsOptions extends AnsweringOptions {
  readonly propose: (command: Uint8Array) => Proposal<KvResult>
  readonly store: () => Store
  readonly scheduler: SchedulerLike
  readonly maxReads: number
}

/** Reads, at the call and once; the reply is replayed. `hasRoom` is asked for when the answer is made. */
export type Read = (query: Get | Range, hasRoom?: () => boolean) => Observable<KvReply>

/** Changes nothing: once it is applied, everything that was acknowledged before it was proposed is applied too. */
const barrier = encodeRequest({ caller: anonymous, command: { _tag: 'Txn', compares: [], success: [], failure: [] } })

/**
 * Linearizable reads through the log (§8): all reads of one turn wait for one command without effect that is proposed
 * after them. When it is applied they are answered from the store as it then is, which has everything that was
 * acknowledged before they came.
 *
 *   reads    abc----d--
 *   log      ---1---2--
 *   answers  ----(abc)-d
 */
export const reads = ({ propose, store, scheduler, maxReads, ...bounds }: ReadsOptions): Read => {
  let gathered: PendingRead[] = []
  let pending = 0
  let turn: Subscription | undefined

  const settle = ({ reply$ }: PendingRead, reply: KvReply): void => {
    pending--
    reply$.next(reply)
    reply$.complete()
  }
  const answer = answering({ scheduler, ...bounds }, settle)

  const ask = (): void => {
    turn = undefined
    const batch = gathered
    gathered = []
    propose(barrier).subscribe((event) => {
      switch (event._tag) {
        case 'Applied':
          return answer(batch, store())
        case 'NotLeader':
        case 'Overloaded':
          return batch.forEach((read) => settle(read, event))
        case 'Indeterminate': // The barrier is in doubt. A read changes nothing, so it may be asked again.
          return batch.forEach((read) => settle(read, { _tag: 'NotLeader', leader: null }))
        case 'Appended':
        case 'Committed':
      }
    })
  }

  return (query, hasRoom = always) => {
    if (pending >= maxReads) return of({ _tag: 'Overloaded', limit: 'maxReads' })
    pending++
    const read: PendingRead = { query, reply$: new AsyncSubject(), hasRoom }
    gathered.push(read)
    turn ??= scheduler.schedule(ask)
    return read.reply$
  }
}

const always = (): boolean => true
