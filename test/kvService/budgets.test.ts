import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { revision } from '../../src/kv/ids.js'
import { keyOfBytes } from '../../src/kv/key.js'
import type { Change, KeyValue } from '../../src/kv/keyValue.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { decodeReplies, repliesInPieces } from '../../streams/kv/batchCodec.js'
import { eventBudget } from '../../streams/kv/http/eventBudget.js'
import { writeSlices } from '../../streams/kv/http/writeSlices.js'
import { byteBudget } from '../../streams/kv/http/byteBudget.js'
import { commaSeparated, inSlicesOf, sliceBytes, slicesOf } from '../../streams/kv/http/slices.js'
import { jsonOfChange, jsonOfKeyValue, piecesOfChange, piecesOfKeyValue } from '../../streams/kv/http/wireItems.js'
import type { KvReply } from '../../streams/kv/reply.js'

const kv: fc.Arbitrary<KeyValue> = fc
  .record({ name: fc.uint8Array({ minLength: 1, maxLength: 20 }), length: fc.oneof(fc.nat(100), fc.nat(200_000)), fill: fc.nat(255) })
  .map(({ name, length, fill }) => ({
    key: keyOfBytes(name),
    value: new Uint8Array(length).map((_, i) => (fill + i) % 256),
    createRevision: revision(2),
    modRevision: revision(3),
    version: revision(4),
  }))

describe('what is made in pieces', () => {
  it('is the JSON that it would be at once', () => {
    fc.assert(
      fc.property(fc.array(kv, { maxLength: 4 }), (kvs) => {
        const changes = kvs.map((one, i): Change =>
          i % 2 === 0
            ? { _tag: 'Put', revision: revision(3), key: one.key, kv: one, prevKv: null }
            : { _tag: 'Delete', revision: revision(3), key: one.key, kv: null, prevKv: one },
        )
        expect(`[${[...commaSeparated(kvs, piecesOfKeyValue)].join('')}]`).toBe(JSON.stringify(kvs.map(jsonOfKeyValue)))
        expect(`[${[...commaSeparated(changes, piecesOfChange)].join('')}]`).toBe(JSON.stringify(changes.map(jsonOfChange)))
      }),
      { numRuns: 30 },
    )
  })

  it('comes in slices of which none is much longer than the bound', () => {
    const value = new Uint8Array(1 << 20)
    const large = {
      key: keyOfBytes(value.subarray(0, 9)),
      value,
      createRevision: revision(2),
      modRevision: revision(3),
      version: revision(4),
    }
    const slices = [...inSlicesOf(commaSeparated([large, large], piecesOfKeyValue))]
    expect(Math.max(...slices.map(({ length }) => length))).toBeLessThan(2 * sliceBytes)
    expect(Math.min(...slices.slice(0, -1).map(({ length }) => length))).toBeGreaterThanOrEqual(sliceBytes)
    expect([...slicesOf(value)].map(({ length }) => length)).toEqual(new Array(16).fill(sliceBytes))
  })

  it('is a batch of replies that can be read when it is put together', () => {
    const replies = fc.array(
      kv.map((one): KvReply => ({ _tag: 'Got', revision: revision(9), kv: one })),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(replies, (sent) => {
        const pieces = [...repliesInPieces(sent, 1_000)]
        expect(decodeReplies(Buffer.concat(pieces))).toMatchObject(either.right(sent))
        for (const { length } of pieces.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(1_000)
      }),
      { numRuns: 30 },
    )
  })
})

describe('slices', () => {
  /** A response of which a test says when its socket has taken what was written. */
  const response = () => {
    const written: (string | Uint8Array)[] = []
    const res = Object.assign(new EventEmitter(), {
      destroyed: false,
      takes: false,
      write: (slice: string) => written.push(slice) > 0 && res.takes,
    })
    return { res, asked: res as unknown as ServerResponse, written }
  }
  const sending = () => {
    const scheduler = new VirtualScheduler()
    const { res, asked, written } = response()
    const seen = { made: 0, begun: 0, ended: false }
    function* made(): Generator<string> {
      while (seen.made < 4) yield String(++seen.made)
    }
    const client = { begin: () => void seen.begun++, end: () => undefined }
    writeSlices(scheduler, asked, made(), client, () => (seen.ended = true))
    return { scheduler, res, written, seen }
  }

  it('are made one by one, when the socket has taken the last, and in a turn of their own', () => {
    const { scheduler, res, written, seen } = sending()
    scheduler.runUntil(1_000)
    expect(seen).toEqual({ made: 1, begun: 1, ended: false })
    res.emit('drain')
    expect(seen.made).toBe(1)
    scheduler.runUntil(2_000)
    expect(seen).toEqual({ made: 2, begun: 2, ended: false })
    res.takes = true
    res.emit('drain')
    scheduler.runUntil(3_000)
    expect(seen.ended).toBe(true)
    expect(written).toEqual(['1', '2', '3', '4'])
  })

  it.each([
    ['that its connection was broken', (res: { destroyed: boolean }) => (res.destroyed = true)],
    ['that it closed', (res: EventEmitter) => res.emit('close')],
  ])('are made no more when it is known of the client %s', (_, leave) => {
    const { scheduler, res, seen } = sending()
    res.emit('drain')
    leave(res)
    scheduler.runUntil(1_000)
    res.emit('drain')
    scheduler.runUntil(2_000)
    expect(seen).toMatchObject({ made: 1, ended: false })
  })
})

describe('room', () => {
  it('is taken up to the bound, and given back once', () => {
    const answers = byteBudget(10)
    const release = answers.take(6)
    expect(answers.take(5)).toBeNull()
    expect(answers.take(4)).not.toBeNull()
    release?.()
    release?.()
    expect(answers.bytes).toBe(4)
  })

  it('is there for what exceeds the bound, alone', () => {
    const answers = byteBudget(10)
    const release = answers.take(11)
    expect([release === null, answers.take(1)]).toEqual([false, null])
    release?.()
    expect(answers.take(1)).not.toBeNull()
  })

  it('is always there for what must go, which is counted, and keeps out no first', () => {
    const answers = byteBudget(10)
    answers.add(11)
    expect([answers.bytes, answers.take(1) === null, answers.take(1)]).toEqual([11, false, null])
  })
})

describe('events under way', () => {
  const cuts = (...names: ReadonlyArray<string>) => {
    const cut: string[] = []
    return { cut, by: Object.fromEntries(names.map((name) => [name, () => void cut.push(name)])) }
  }

  it('hold the values of a revision once', () => {
    const { cut, by } = cuts('a', 'b')
    const events = eventBudget(10)
    const [first, second] = [events.hold(5, 8, by['a']!), events.hold(5, 9, by['b']!)]
    expect(events.bytes).toBe(9)
    first()
    expect(events.bytes).toBe(9)
    second()
    expect([events.bytes, cut]).toEqual([0, []])
  })

  it('beyond the bound have the watches that are furthest behind cut, and never the newest', () => {
    const { cut, by } = cuts('a', 'b', 'c', 'd')
    const events = eventBudget(10)
    events.hold(7, 4, by['a']!)
    const late = events.hold(5, 4, by['b']!)
    events.hold(5, 4, by['c']!)
    events.hold(8, 20, by['d']!)
    expect([events.bytes, cut]).toEqual([20, ['b', 'c', 'a']])
    late()
    expect(events.bytes).toBe(20)
  })
})
