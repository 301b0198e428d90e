import { expect, it } from '@jest/globals'
import { of, type SchedulerLike, Subscription } from 'rxjs'
import { applyAll } from '../../src/kv/apply.js'
import { anonymous, type Get, type Range } from '../../src/kv/command.js'
import { revision } from '../../src/kv/ids.js'
import { everything, key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import type { KvResult } from '../../src/kv/result.js'
import { emptyStore } from '../../src/kv/store.js'
import type { Proposal } from '../../streams/sinks/proposal.js'
import { reads } from '../../streams/kv/server/reads.js'
import type { KvReply } from '../../streams/kv/reply.js'

/** A scheduler whose turns a test takes: what is scheduled in a turn waits for the next. */
const turns = () => {
  let waiting: (() => void)[] = []
  const schedule = (work: () => void): Subscription => {
    waiting.push(work)
    return new Subscription()
  }
  const take = (): void => {
    const now = waiting
    waiting = []
    for (const work of now) work()
  }
  return { scheduler: { now: () => 0, schedule } as unknown as SchedulerLike, take }
}

const { store } = applyAll(
  emptyStore(),
  Array.from({ length: 5_000 }, (_, i) => ({
    index: i + 1,
    command: encodeRequest({
      caller: anonymous,
      command: { _tag: 'Put', key: key(`k${String(i).padStart(4, '0')}`), value: new Uint8Array(10), prevKv: false },
    }),
  })),
)

const reading = (bounds: Partial<Parameters<typeof reads>[0]> = {}) => {
  const { scheduler, take } = turns()
  const answers: KvReply[] = []
  const applied = of({ _tag: 'Applied' }) as unknown as Proposal<KvResult>
  const read = reads({
    propose: () => applied,
    store: () => store,
    scheduler,
    maxReads: 100,
    maxRangeKeys: 10_000,
    maxRangeBytes: 1 << 20,
    ...bounds,
  })
  return {
    take,
    answers,
    read: (query: Get | Range, hasRoom?: () => boolean) => read(query, hasRoom).subscribe((reply) => answers.push(reply)),
  }
}

const past: Get = { _tag: 'Get', key: key('k0000'), revision: revision(10) }
const all: Range = { _tag: 'Range', range: everything, revision: null, limit: null, keysOnly: false, count: false }

it('reads of the past take a turn each, in whichever batches they came', () => {
  const { read, take, answers } = reading()
  for (let batch = 0; batch < 3; batch++) {
    read(past)
    read(past)
    take()
  }
  const seen = [answers.length]
  for (let turn = 0; turn < 4; turn++) {
    take()
    seen.push(answers.length)
  }
  expect(seen).toEqual([3, 4, 5, 6, 6])
})

it.each<[string, Range]>([
  ['returns much', all],
  ['counts much', { ...all, limit: 0, count: true }],
])('a range that %s fills a turn', (_, query) => {
  const { read, take, answers } = reading()
  for (let i = 0; i < 3; i++) read(query)
  const seen: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    take()
    seen.push(answers.length)
  }
  expect(seen).toEqual([1, 2, 3])
})

it('keys count against the bound of a range, like values', () => {
  const { read, take, answers } = reading({ maxRangeBytes: 150 })
  read({ ...all, keysOnly: true })
  take()
  expect(answers).toMatchObject([{ _tag: 'Ranged', more: true }])
  expect((answers[0] as Extract<KvReply, { _tag: 'Ranged' }>).kvs).toHaveLength(30)
})

it('a read for whose answer there is no room is not carried out', () => {
  const { read, take, answers } = reading()
  read(all, () => false)
  take()
  expect(answers).toEqual([{ _tag: 'Overloaded', limit: 'maxBatchReplyBytes' }])
})
