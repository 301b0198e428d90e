import type { AsyncSubject } from 'rxjs'
import { type SchedulerLike, type Subscription } from 'rxjs'
import type { Get, Range } from '../../../src/kv/command.js'
import { readKey, readRange } from '../../../src/kv/query.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import type { KvReply } from '../reply.js'

export interface AnsweringOptions {
  readonly scheduler: SchedulerLike
  readonly maxRangeKeys: number
  readonly maxRangeBytes: number
}

/** A read without a reply. */
export interface PendingRead {
  readonly query: Get | Range
  readonly reply$: AsyncSubject<KvReply>
  /** Tells whether there is room for an answer. */
  readonly hasRoom: () => boolean
}

/** Reads that are answered from one value of the store. */
interface Batch {
  readonly reads: ReadonlyArray<PendingRead>
  readonly state: Store
  /** How many of them were answered. */
  answered: number
}

/**
 * Keys visited without letting others have a turn. A read of the past, which may have to undo as many changes, fills a
 * turn by itself. All batches take turns in one line: however many there are, a turn is no longer.
 */
const keysPerTurn = 4096

/**
 * Answers batches of reads, a bounded number of keys a turn. A batch is answered from one value of the store, however
 * many turns it takes. `settle` is given each reply.
 */
export const answering = (
  { scheduler, maxRangeKeys, maxRangeBytes }: AnsweringOptions,
  settle: (read: PendingRead, reply: KvReply) => void,
): ((reads: ReadonlyArray<PendingRead>, state: Store) => void) => {
  /** Bounded by `maxReads`: there is a read without a reply in each. */
  const batches: Batch[] = []
  let turn: Subscription | undefined

  const answer = (): void => {
    turn = undefined
    for (let visited = 0; batches.length > 0 && visited < keysPerTurn;) {
      const batch = batches[0]!
      const read = batch.reads[batch.answered++]
      if (read === undefined) batches.shift()
      else visited += answerOne(read, batch.state)
    }
    if (batches.length > 0) turn ??= scheduler.schedule(answer)
  }

  /** Gives what it cost, in keys visited. */
  const answerOne = (read: PendingRead, state: Store): number => {
    const { query } = read
    if (!read.hasRoom()) {
      settle(read, { _tag: 'Overloaded', limit: 'maxBatchReplyBytes' })
      return 1
    }
    const reply = query._tag === 'Get' ? readKey(state, query) : rangeOf(state, query, maxRangeKeys, maxRangeBytes)
    settle(read, reply)
    if (query.revision !== null) return keysPerTurn
    return reply._tag === 'Ranged' ? reply.kvs.length + (reply.count ?? 0) + 1 : 1
  }

  return (reads, state) => {
    batches.push({ reads, state, answered: 0 })
    if (turn === undefined) answer()
  }
}

const rangeOf = (state: Store, query: Range, maxKeys: number, maxBytes: number): KvResult => {
  const answer = readRange(state, { ...query, limit: Math.min(query.limit ?? maxKeys, maxKeys) })
  if (answer._tag !== 'Ranged') return answer
  let bytes = 0
  // The first key is told even where it is too large alone: otherwise a reader of pages would never come past it.
  const fitting = answer.kvs.findIndex(({ key, value }, i) => (bytes += key.length + value.length) > maxBytes && i > 0)
  return fitting < 0 ? answer : { ...answer, kvs: answer.kvs.slice(0, fitting), more: true }
}
