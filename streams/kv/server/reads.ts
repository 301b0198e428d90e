import type { SchedulerLike, Subscription } from 'rxjs'
import { anonymous, type Get, type Range } from '../../../src/kv/command.js'
import { readKey, readRange } from '../../../src/kv/query.js'
import { encodeRequest } from '../../../src/kv/requestCodec.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import type { Proposal } from '../../sinks/proposal.js'
import type { KvReply } from '../reply.js'

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
  /** Whether there is room for an answer. */
  readonly hasRoom: () => boolean
}

/** Reads that are being answered, from one value of the store. */
interface Batch {
  readonly reads: ReadonlyArray<Read>
  readonly state: Store
  /** How many of them were answered. */
  answered: number
}

/** Changes nothing: once it is applied, everything that was acknowledged before it was proposed is applied too. */
const barrier = encodeRequest({ caller: anonymous, command: { _tag: 'Txn', compares: [], success: [], failure: [] } })

/**
 * Keys visited without letting others have a turn. A read of the past, which may have to undo as many changes, fills a turn by itself.
 * All batches take turns in one line: however many there are, a turn is no longer.
 */
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
  /** Bounded by `maxReads`: there is a read to be answered in each. */
  const answering: Batch[] = []
  let pending = 0
  let turn: Subscription | undefined
  let answeringTurn: Subscription | undefined

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
          answering.push({ reads: batch, state: store(), answered: 0 })
          if (answeringTurn === undefined) answer()
          return
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

  /** However long it takes, all of a batch are answered from one value of the store. */
  const answer = (): void => {
    answeringTurn = undefined
    for (let visited = 0; answering.length > 0 && visited < keysPerTurn;) {
      const batch = answering[0]!
      const read = batch.reads[batch.answered++]
      if (read === undefined) answering.shift()
      else visited += answerOne(read, batch.state)
    }
    if (answering.length > 0) answeringTurn ??= scheduler.schedule(answer)
  }

  /** What it cost, in keys visited. */
  const answerOne = (read: Read, state: Store): number => {
    const { query } = read
    if (!read.hasRoom()) {
      settle(read, { _tag: 'Overloaded', limit: 'maxBatchReplyBytes' })
      return 1
    }
    const answer = query._tag === 'Get' ? readKey(state, query) : rangeOf(state, query)
    settle(read, answer)
    if (query.revision !== null) return keysPerTurn
    return answer._tag === 'Ranged' ? answer.kvs.length + (answer.count ?? 0) + 1 : 1
  }

  const rangeOf = (state: Store, query: Range): KvResult => {
    const limit = Math.min(query.limit ?? maxRangeKeys, maxRangeKeys)
    const answer = readRange(state, { ...query, limit })
    if (answer._tag !== 'Ranged') return answer
    let bytes = 0
    // The first goes even where it is too large by itself, or a reader of pages would never come past it.
    const fitting = answer.kvs.findIndex(({ key, value }, i) => (bytes += key.length + value.length) > maxRangeBytes && i > 0)
    return fitting < 0 ? answer : { ...answer, kvs: answer.kvs.slice(0, fitting), more: true }
  }

  return (query: Get | Range, answered: (reply: KvReply) => void, hasRoom: () => boolean = always): void => {
    if (pending >= maxReads) return answered({ _tag: 'Overloaded', limit: 'maxReads' })
    pending++
    gathered.push({ query, settle: answered, hasRoom })
    turn ??= scheduler.schedule(ask)
  }
}

const always = (): boolean => true
