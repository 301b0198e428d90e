import type { SchedulerLike, Subscription } from 'rxjs'
import { anonymous, type Get, type Range } from '../../src/kv/command.js'
import { readKey, readRange } from '../../src/kv/query.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import type { KvResult } from '../../src/kv/result.js'
import type { Store } from '../../src/kv/store.js'
import type { Proposal } from '../proposal.js'
import type { KvReply } from './reply.js'

export interface ReadsOptions {
  readonly propose: (command: Uint8Array) => Proposal<KvResult>
  readonly store: () => Store
  readonly scheduler: SchedulerLike
  readonly maxReads: number
  readonly maxRangeKeys: number
  readonly maxRangeBytes: number
}

interface Read {
  readonly query: Get | Range
  readonly settle: (reply: KvReply) => void
}

/** Changes nothing: once it is applied, everything that was acknowledged before it was proposed is applied too. */
const barrier = encodeRequest({ caller: anonymous, command: { _tag: 'Txn', compares: [], success: [], failure: [] } })

/** Keys visited without letting others have a turn. A read of the past, which may have to undo as many changes, fills a turn by itself. */
const keysPerTurn = 4096

/**
 * Linearizable reads through the log (§8): all reads of one turn wait for one command without effect that is proposed after them.
 * When it is applied they are answered from the store as it then is, which has everything that was acknowledged before they came.
 *
 *   reads    abc----d--
 *   log      ---1---2--
 *   answers  ----(abc)-d
 */
export const reads = ({ propose, store, scheduler, maxReads, maxRangeKeys, maxRangeBytes }: ReadsOptions) => {
  let gathered: Read[] = []
  let pending = 0
  let turn: Subscription | undefined

  const settle = (read: Read, reply: KvReply): void => {
    pending--
    read.settle(reply)
  }

  const ask = (): void => {
    turn = undefined
    const batch = gathered
    gathered = []
    propose(barrier).subscribe((event) => {
      switch (event._tag) {
        case 'Applied':
          return answerAll(batch, 0, store())
        case 'NotLeader':
        case 'Overloaded':
          return batch.forEach((read) => settle(read, event))
        case 'Indeterminate': // of the barrier; a read that was not answered can be asked again
          return batch.forEach((read) => settle(read, { _tag: 'NotLeader', leader: null }))
        case 'Appended':
        case 'Committed':
      }
    })
  }

  /** However long it takes, all are answered from one value of the store. */
  const answerAll = (batch: ReadonlyArray<Read>, from: number, state: Store): void => {
    let visited = 0
    let i = from
    for (; i < batch.length && visited < keysPerTurn; i++) {
      const read = batch[i]!
      const { query } = read
      const answer = query._tag === 'Get' ? readKey(state, query) : rangeOf(state, query)
      visited += query.revision !== null ? keysPerTurn : answer._tag === 'Ranged' ? answer.kvs.length + 1 : 1
      settle(read, answer)
    }
    if (i < batch.length) scheduler.schedule(() => answerAll(batch, i, state))
  }

  const rangeOf = (state: Store, query: Range): KvResult => {
    const limit = Math.min(query.limit ?? maxRangeKeys, maxRangeKeys)
    const answer = readRange(state, { ...query, limit })
    if (answer._tag !== 'Ranged') return answer
    let bytes = 0
    // The first goes even where it is too large by itself, or a reader of pages would never come past it.
    const fitting = answer.kvs.findIndex(({ value }, i) => (bytes += value.length) > maxRangeBytes && i > 0)
    return fitting < 0 ? answer : { ...answer, kvs: answer.kvs.slice(0, fitting), more: true }
  }

  return (query: Get | Range, answered: (reply: KvReply) => void): void => {
    if (pending >= maxReads) return answered({ _tag: 'Overloaded', limit: 'maxReads' })
    pending++
    gathered.push({ query, settle: answered })
    turn ??= scheduler.schedule(ask)
  }
}
