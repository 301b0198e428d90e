import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import {
  anonymous,
  apply,
  applyAll,
  type Caller,
  decodeSnapshot,
  digest,
  emptyStore,
  encodeRequest,
  encodeSnapshot,
  eventsSince,
  everything,
  key,
  type KvCommand,
  range,
  revision,
  serial,
  sessionId,
  snapshotErrorMessage,
  snapshotPieces,
  snapshotReading,
  type Store,
} from '../../src/kv/index.js'
import { aKeyCommand } from './arbitraries.js'
import { right } from './right.js'

const limits = { maxSessions: 3, maxIdempotencyKeys: 3, maxHistoryRevisions: 20 }

const aCaller: fc.Arbitrary<Caller> = fc.oneof(
  fc.constant(anonymous),
  fc.record({
    _tag: fc.constant('Session'),
    session: fc.integer({ min: 1, max: 3 }).map(sessionId),
    serial: fc.nat({ max: 9 }).map(serial),
    firstUnanswered: fc.nat({ max: 3 }).map(serial),
  }),
  fc.record({ _tag: fc.constant('Once'), idempotencyKey: fc.constantFrom(...['p', 'q', 'r', 's'].map(key)) }),
)

/** A log that opens two sessions and uses them. */
const aLog = fc
  .array(fc.record({ caller: aCaller, command: aKeyCommand }), { maxLength: 40 })
  .map((requests) =>
    [
      { caller: anonymous, command: { _tag: 'Register' } as KvCommand },
      { caller: anonymous, command: { _tag: 'Register' } as KvCommand },
      ...requests,
    ].map((request, i) => ({ index: i + 1, command: encodeRequest(request) })),
  )

const aStore: fc.Arbitrary<Store> = aLog.map((log) => applyAll(emptyStore(limits), log).store)

const view = (store: Store) => {
  const { appliedIndex, revision: now, compactRevision, liveBytes, history, clients } = store
  const readable = Array.from({ length: now - compactRevision + 1 }, (_, i) => revision(compactRevision + i))
  return {
    appliedIndex,
    now,
    compactRevision,
    liveBytes,
    historyBytes: history.bytes,
    states: readable.map((r) => right(range(store, everything, { revision: r })).kvs),
    changes: [...right(eventsSince(store, compactRevision))],
    sessions: [...clients.sessions.inOrderOfUse().entries],
    answers: [...clients.answers.copy().entries()],
    idempotencyKeys: [...clients.idempotencyKeys.inOrderOfUse().entries],
  }
}

describe('a snapshot', () => {
  it('holds all that can be seen of a store, sessions included', () => {
    fc.assert(
      fc.property(aStore, (store) => {
        const restored = right(decodeSnapshot(encodeSnapshot(store), limits))
        expect(view(restored)).toEqual(view(store))
        expect(encodeSnapshot(restored)).toEqual(encodeSnapshot(store))
      }),
      { numRuns: 300 },
    )
  })

  it('is a place to go on from: what follows is answered as if there had been none', () => {
    fc.assert(
      fc.property(aLog, fc.nat(), (log, at) => {
        const cut = at % log.length
        const straight = applyAll(emptyStore(limits), log)
        const before = applyAll(emptyStore(limits), log.slice(0, cut)).store
        const after = applyAll(right(decodeSnapshot(encodeSnapshot(before), limits)), log.slice(cut))
        expect(after.applied).toEqual(straight.applied.slice(cut))
        expect(encodeSnapshot(after.store)).toEqual(encodeSnapshot(straight.store))
        expect(digest(after.store)).toBe(digest(straight.store))
      }),
      { numRuns: 200 },
    )
  })

  it('is the same bytes, however the store came to be', () => {
    fc.assert(
      fc.property(aLog, (log) => {
        const oneByOne = log.reduce((store, { index, command }) => apply(store, index, command).store, emptyStore(limits))
        expect(encodeSnapshot(oneByOne)).toEqual(encodeSnapshot(applyAll(emptyStore(limits), log).store))
      }),
    )
  })

  it('is 16 bytes for nothing, with the checksum that zlib gives', () => {
    const bytes = encodeSnapshot(emptyStore())
    expect(Buffer.from(bytes).toString('latin1').slice(0, 5)).toBe('RXKV\x01')
    expect(Buffer.from(bytes).readUInt32LE(bytes.length - 4)).toBe(crc32(bytes.subarray(0, -4)))
    expect(digest(emptyStore())).toBe(crc32(bytes.subarray(0, -4)))
    expect(bytes).toHaveLength(16)
  })

  it('comes in pieces, of the store as it was when it began', () => {
    const put = (i: number) => ({
      index: i,
      command: encodeRequest({
        caller: anonymous,
        command: { _tag: 'Put', key: key(`k${i % 2000}`), value: new Uint8Array(100), prevKv: false },
      }),
    })
    let { store } = applyAll(
      emptyStore({ maxHistoryRevisions: 500 }),
      Array.from({ length: 3000 }, (_, i) => put(i + 1)),
    )
    const wanted = Buffer.from(encodeSnapshot(store))
    const pieces: Uint8Array[] = []
    for (const piece of snapshotPieces(store)) {
      pieces.push(piece)
      store = applyAll(
        store,
        Array.from({ length: 300 }, (_, i) => put(store.appliedIndex + i + 1)),
      ).store
    }
    expect(pieces.length).toBeGreaterThan(4)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000)
    expect(Buffer.concat(pieces).equals(wanted)).toBe(true)

    const slices = snapshotReading(wanted)
    let steps = 0
    let step = slices.next()
    for (; step.done !== true; step = slices.next()) steps++
    expect(steps).toBeGreaterThan(4)
    expect(digest(right(step.value))).toBe(digest(right(decodeSnapshot(wanted))))
  })

  it('digests tell different stores apart', () => {
    const digests = new Set(
      ['a', 'b', 'c'].map((k) =>
        digest(
          apply(
            emptyStore(),
            1,
            encodeRequest({ caller: anonymous, command: { _tag: 'Put', key: key(k), value: new Uint8Array(0), prevKv: false } }),
          ).store,
        ),
      ),
    )
    expect(digests.size).toBe(3)
  })
})

describe('damaged bytes', () => {
  const request = (caller: Caller, command: KvCommand) => encodeRequest({ caller, command })
  const commands = [
    request(anonymous, { _tag: 'Register' }),
    request(anonymous, { _tag: 'Put', key: key('a'), value: Uint8Array.of(1), prevKv: false }),
    request(
      { _tag: 'Session', session: sessionId(1), serial: serial(1), firstUnanswered: serial(1) },
      { _tag: 'Put', key: key('b'), value: Uint8Array.of(1), prevKv: false },
    ),
    request({ _tag: 'Once', idempotencyKey: key('p') }, { _tag: 'Delete', range: everything, prevKv: true }),
    request(anonymous, { _tag: 'Put', key: key('c'), value: Uint8Array.of(1), prevKv: false }),
  ]
  const sound = encodeSnapshot(
    applyAll(
      emptyStore(),
      commands.map((command, i) => ({ index: i + 1, command })),
    ).store,
  )

  it('are told whatever bit was turned', () => {
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const damaged = sound.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(decodeSnapshot(damaged)).toMatchObject({ _tag: 'Left' })
    }
  })

  it('are told wherever they end', () => {
    for (let length = 0; length < sound.length; length++) expect(decodeSnapshot(sound.subarray(0, length))).toMatchObject({ _tag: 'Left' })
  })

  it.each([
    { bytes: [], message: /^These bytes are no snapshot/ },
    { bytes: [...Buffer.from('RXKV'), 2, 0, 0, 0, 0], message: /^This snapshot has format 2, this program reads format 1/ },
    { bytes: [...Buffer.from('RXKV'), 1, 0, 0, 0, 0], message: /^The snapshot is damaged: its checksum does not match/ },
  ])('$bytes are told with a sentence', ({ bytes, message }) => {
    const decoded = decodeSnapshot(Uint8Array.from(bytes))
    expect(either.isLeft(decoded) ? snapshotErrorMessage(decoded.left) : '').toMatch(message)
  })

  const withChecksum = (body: Uint8Array): Uint8Array => {
    const sum = crc32(body)
    return Uint8Array.from([...body, sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24])
  }

  it.each([
    { what: 'keys that fall', from: '0161', to: '0163', reason: 'a key does not fit to those before it' },
    { what: 'keys that come twice', from: '0161', to: '0162', reason: 'a key does not fit to those before it' },
    { what: 'a version from the future', from: '020201', to: '020901', reason: 'a key does not fit to those before it' },
    { what: 'a session twice', from: '0202000000', to: '0102000000', reason: 'a session is there twice' },
    { what: 'two sessions used by one entry', from: '01010000', to: '01020000', reason: 'a last use does not fit to those before it' },
    {
      what: 'a session used by an entry to come',
      from: '0202000000',
      to: '0207000000',
      reason: 'a last use does not fit to those before it',
    },
    { what: 'a delete of nothing', from: '01016201010202', to: '0101630002', reason: 'a key is deleted that is not there' },
    { what: 'revisions that fall', from: '06040402', to: '06040502', reason: 'its revisions do not fit together' },
  ])('with $what are told, whatever the checksum', ({ from, to, reason }) => {
    const log = [
      request(anonymous, { _tag: 'Register' }),
      request(anonymous, { _tag: 'Register' }),
      request(anonymous, { _tag: 'Put', key: key('a'), value: Uint8Array.of(1), prevKv: false }),
      request(anonymous, { _tag: 'Put', key: key('b'), value: Uint8Array.of(1), prevKv: false }),
      request(anonymous, { _tag: 'Put', key: key('b'), value: Uint8Array.of(2), prevKv: false }),
      request(anonymous, { _tag: 'Compact', revision: revision(4) }),
    ]
    const whole = encodeSnapshot(
      applyAll(
        emptyStore(),
        log.map((command, i) => ({ index: i + 1, command })),
      ).store,
    )
    const hex = Buffer.from(whole.subarray(0, -4)).toString('hex')
    expect(hex).toContain(from)
    const decoded = decodeSnapshot(withChecksum(Buffer.from(hex.replace(from, to), 'hex')))
    expect(decoded).toEqual(either.left({ _tag: 'DamagedSnapshot', reason: expect.stringContaining(reason) }))
  })

  // A wrong sum stops accidents; what a hostile server sends has a right one.
  it('with a right checksum never throw, and what they give can be written and read again', () => {
    const seen = { left: 0, right: 0 }
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }), (damages) => {
        const body = sound.slice(0, -4)
        for (const [at, byte] of damages) body[5 + (at % (body.length - 5))] = byte
        const decoded = decodeSnapshot(withChecksum(body))
        seen[either.isRight(decoded) ? 'right' : 'left']++
        const store = either.isRight(decoded) ? decoded.right : emptyStore()
        expect(digest(right(decodeSnapshot(encodeSnapshot(store))))).toBe(digest(store))
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(seen.left, seen.right)).toBeGreaterThan(20)
  })
})
