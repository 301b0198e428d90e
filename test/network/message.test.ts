import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import { commandEntry, type Entry, noopEntry } from '../../src/raft/state/entry.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { logIndex, messageSeq, nodeId, term, maxTerm } from '../../src/raft/ids.js'
import { Message } from '../../src/raft/messages.js'
import { admit } from '../../streams/sinks/inbound.js'
import { decodeMessage, encodeMessage, maxEntriesPerMessage, messageByteLength, writeMessage } from '../../streams/wire/message.js'
import { message } from './arbitraries.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const ends = { from: nodeId('n1'), to: nodeId('n2') }

const golden: ReadonlyArray<readonly [Message, string]> = [
  [
    {
      _tag: 'RequestVote',
      ...ends,
      seq: messageSeq(7),
      term: term(3),
      candidateId: nodeId('n1'),
      lastLogIndex: logIndex(258),
      lastLogTerm: term(2),
    },
    '01 026e31 026e32 0700000000000000 030000000000 0201000000000000 020000000000',
  ],
  [
    { _tag: 'RequestVoteReply', ...ends, re: messageSeq(7), term: term(3), voteGranted: true },
    '02 026e31 026e32 0700000000000000 030000000000 01',
  ],
  [
    {
      _tag: 'AppendEntries',
      ...ends,
      seq: messageSeq(2 ** 53 - 1),
      term: term(maxTerm),
      leaderId: nodeId('n1'),
      prevLogIndex: logIndex(2 ** 32),
      prevLogTerm: term(2),
      leaderCommit: logIndex(9),
      entries: [noopEntry(term(2)), commandEntry(term(2 ** 40), Uint8Array.of(0xab, 0xcd))],
    },
    '03 026e31 026e32 ffffffffffff1f00 ffffffffffff 0000000001000000 020000000000 0900000000000000' +
      ' 01 020000000000 00000000  00 000000000001 02000000 abcd',
  ],
  [
    { _tag: 'AppendEntriesReply', ...ends, re: messageSeq(1), term: term(3), success: true, matchIndex: logIndex(5), conflict: null },
    '04 026e31 026e32 0100000000000000 030000000000 01 0500000000000000 00',
  ],
  [
    {
      _tag: 'AppendEntriesReply',
      ...ends,
      re: messageSeq(1),
      term: term(3),
      success: false,
      matchIndex: logIndex(0),
      conflict: { term: null, index: logIndex(4) },
    },
    '04 026e31 026e32 0100000000000000 030000000000 00 0000000000000000 01 0400000000000000',
  ],
  [
    {
      _tag: 'AppendEntriesReply',
      ...ends,
      re: messageSeq(1),
      term: term(3),
      success: false,
      matchIndex: logIndex(0),
      conflict: { term: term(2), index: logIndex(4) },
    },
    '04 026e31 026e32 0100000000000000 030000000000 00 0000000000000000 02 0400000000000000 020000000000',
  ],
]

describe('a message as bytes', () => {
  it.each(golden.map(([value, bytes]) => ({ kind: value._tag, value, bytes })))(
    '$kind is on the wire as it always was',
    ({ value, bytes }) => {
      const expected = bytes.replaceAll(' ', '')
      expect(hex(encodeMessage(value))).toBe(expected)
      expect(decodeMessage(Uint8Array.from(Buffer.from(expected, 'hex')))).toEqual(either.right(value))
    },
  )

  it('comes back as it was', () => {
    fc.assert(
      fc.property(message, (value) => {
        const bytes = encodeMessage(value)
        expect(bytes.length).toBe(messageByteLength(value))
        expect(admit(bytes)).toEqual({ _tag: 'Received', message: value })
      }),
    )
  })

  it('can be written anywhere into a larger buffer, and nothing beside it is touched', () => {
    fc.assert(
      fc.property(message, fc.nat(9), (value, offset) => {
        const target = new Uint8Array(offset + messageByteLength(value) + 3).fill(0x55)
        expect(writeMessage(value, target, offset)).toBe(target.length - 3)
        expect(hex(target)).toBe('55'.repeat(offset) + hex(encodeMessage(value)) + '555555')
      }),
    )
  })

  it('does not copy commands', () => {
    const value = golden[2]![0]
    const bytes = encodeMessage(value)
    const decoded = decodeMessage(bytes)
    const entries =
      either.isRight(decoded) && Message.is(decoded.right) && decoded.right._tag === 'AppendEntries' ? decoded.right.entries : []
    expect(entries.map(({ command }) => command.buffer === bytes.buffer)).toEqual([true, true])
  })

  it('has no place for a term beyond 48 bits, and says so instead of sending another', () => {
    expect(() =>
      encodeMessage({ _tag: 'RequestVoteReply', ...ends, re: messageSeq(1), term: term(maxTerm + 1), voteGranted: true }),
    ).toThrow(RangeError)
  })
})

describe('bytes that are no message', () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
  const [, vote] = golden[0]!

  it.each([
    ['nothing', '', '0 bytes end in the middle of a message'],
    ['another tag', '09' + vote.slice(2), 'no message begins with 9'],
    ['a byte too few', vote.slice(0, -2), '34 bytes end in the middle of a message'],
    ['a byte too many', vote + '00', '1 bytes are left over after the message'],
    ['a damaged entry', golden[2]![1] + '07', 'the bytes after leaderCommit are not a run of 16384 entries at most'],
    ['an unknown conflict', golden[3]![1].slice(0, -2) + '03', 'conflict begins with 3, not with 0, 1 or 2'],
  ])('%s', (_, text, reason) => {
    expect(decodeMessage(bytes(text))).toEqual(either.left(reason))
  })

  const append = (entries: ReadonlyArray<Entry>): Message => ({
    _tag: 'AppendEntries',
    ...ends,
    seq: messageSeq(1),
    term: term(1),
    leaderId: nodeId('n1'),
    prevLogIndex: logIndex(0),
    prevLogTerm: term(0),
    leaderCommit: logIndex(0),
    entries,
  })
  const times = (count: number, entry: Entry): ReadonlyArray<Entry> => Array.from({ length: count }, () => entry)

  it('are those of more entries than anyone sends; at the limit they are a message', () => {
    expect(admit(encodeMessage(append(times(maxEntriesPerMessage, noopEntry(term(1))))))._tag).toBe('Received')
    expect(admit(encodeMessage(append(times(maxEntriesPerMessage + 1, noopEntry(term(1))))))).toMatchObject({
      reason: 'the bytes after leaderCommit are not a run of 16384 entries at most',
    })
  })

  it('are those of larger configurations than anyone has, which are not even looked at', () => {
    const configuration = (size: number): Entry => ({ term: term(1), kind: 'configuration', size, command: new Uint8Array(size) })
    expect(either.isRight(decodeMessage(encodeMessage(append(times(2, configuration(1 << 19))))))).toBe(true)
    expect(decodeMessage(encodeMessage(append([...times(2, configuration(1 << 19)), configuration(1)])))).toEqual(
      either.left('more than 1048576 bytes of configurations'),
    )
  })

  it('are those of a snapshot whose configuration has other fields than ours', () => {
    const bytes = encodeMessage({
      _tag: 'InstallSnapshot',
      from: nodeId('n1'),
      to: nodeId('n2'),
      seq: messageSeq(1),
      term: term(1),
      leaderId: nodeId('n1'),
      lastIncludedIndex: logIndex(1),
      lastIncludedTerm: term(1),
      configuration: votersOnly([nodeId('n1')]),
      offset: 0,
      data: Uint8Array.of(1),
      done: true,
    })
    const at = Buffer.from(bytes).indexOf('"version"')
    expect(admit(bytes)._tag).toBe('Received')
    bytes[at + 1] = 'V'.charCodeAt(0)
    expect(admit(bytes)).toMatchObject({
      reason: 'the configuration of a snapshot has other fields than this version of the protocol',
    })
  })

  it('every prefix of a message is refused', () => {
    fc.assert(
      fc.property(
        message.filter(({ _tag }) => _tag !== 'AppendEntries'),
        (value) => {
          const whole = encodeMessage(value)
          for (let length = 0; length < whole.length; length++) expect(either.isLeft(decodeMessage(whole.subarray(0, length)))).toBe(true)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('changed bytes never throw, and what is let in is exactly what they say', () => {
    const change = fc.oneof(
      fc.record({ at: fc.nat(), byte: fc.nat(255) }),
      fc.record({ cutTo: fc.nat() }),
      fc.record({ append: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
    )
    fc.assert(
      fc.property(message, fc.array(change, { minLength: 1, maxLength: 6 }), (value, changes) => {
        let mutated: Uint8Array = encodeMessage(value)
        for (const c of changes) {
          if ('at' in c) mutated[c.at % Math.max(1, mutated.length)] = c.byte
          else if ('cutTo' in c) mutated = mutated.slice(0, c.cutTo % (mutated.length + 1))
          else mutated = Uint8Array.from([...mutated, ...c.append])
        }
        const event = admit(mutated)
        expect(hex(event._tag === 'Received' ? encodeMessage(event.message) : mutated)).toBe(hex(mutated))
      }),
      { numRuns: 2_000 },
    )
  })

  it('nor do random bytes, for which the work is bounded by their number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom(0, 1, 2, 3, 4), (noise, tag) => {
        const decoded = decodeMessage(Uint8Array.from([tag, ...noise]))
        if (either.isLeft(decoded)) return
        const entries = Object.getOwnPropertyDescriptor(decoded.right, 'entries')?.value as ReadonlyArray<unknown> | undefined
        expect(entries?.length ?? 0).toBeLessThanOrEqual(noise.length / 11)
      }),
      { numRuns: 2_000 },
    )
  })
})
