import fc from 'fast-check'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { commandEntry, configurationEntry, type Entry, noopEntry } from '../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, term, maxIncludedIndex } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'

/*
 * Messages that honest servers could send: the numbers reach to their ends, terms of entries rise.
 */

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/).map(nodeId)
const index = fc.oneof(fc.nat(1_000), fc.maxSafeNat()).map(logIndex)
const seq = fc.oneof(fc.nat(1_000), fc.maxSafeNat()).map(messageSeq)
const aTerm = fc
  .oneof(
    fc.integer({ min: 1, max: 9 }),
    fc.maxSafeNat().map((n) => 1 + (n % (2 ** 48 - 1))),
  )
  .map(term)

const entriesUpTo = (newest: number): fc.Arbitrary<ReadonlyArray<Entry>> => {
  const entry = fc.tuple(
    fc.nat(Math.min(newest, 2 ** 31)),
    fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('noop', 'configuration')),
  )
  return fc
    .array(entry, { maxLength: 12 })
    .map((entries) =>
      entries
        .sort(([a], [b]) => a - b)
        .map(([t, content]) =>
          content === 'noop'
            ? noopEntry(term(t))
            : content === 'configuration'
              ? configurationEntry(term(t), votersOnly(['n1', 'n2', 'n3'].map(nodeId)))
              : commandEntry(term(t), Uint8Array.from(content as Uint8Array)),
        ),
    )
}

const requestVote = fc
  .record({ from: name, to: name, seq, term: aTerm, lastLogIndex: index, older: fc.double({ min: 0, max: 0.999, noNaN: true }) })
  .map(({ older, ...rest }): Message => ({
    _tag: 'RequestVote',
    ...rest,
    candidateId: rest.from,
    lastLogTerm: term(Math.floor(rest.term * older)),
  }))

const requestVoteReply = fc
  .record({ from: name, to: name, re: seq, term: aTerm, voteGranted: fc.boolean() })
  .map((rest): Message => ({ _tag: 'RequestVoteReply', ...rest }))

const appendEntries = fc
  .record({ from: name, to: name, seq, term: aTerm, leaderCommit: index, prevLogIndex: fc.nat(2 ** 50).map(logIndex) })
  .chain((rest) =>
    entriesUpTo(rest.term).map((entries): Message => ({
      _tag: 'AppendEntries',
      ...rest,
      leaderId: rest.from,
      prevLogTerm: term(0),
      entries,
    })),
  )

const appendEntriesReply = fc
  .record({
    from: name,
    to: name,
    re: seq,
    term: aTerm,
    success: fc.boolean(),
    matchIndex: index,
    conflict: fc.option(fc.record({ term: fc.option(aTerm), index })),
  })
  .map((rest): Message => ({ _tag: 'AppendEntriesReply', ...rest }))

const installSnapshot = fc
  .record({
    from: name,
    to: name,
    seq,
    term: aTerm,
    lastIncludedIndex: fc.integer({ min: 1, max: maxIncludedIndex }).map(logIndex),
    older: fc.double({ min: 0, max: 1, noNaN: true }),
    voters: fc.array(name, { minLength: 1, maxLength: 7 }),
    offset: fc.nat(2 ** 50),
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    done: fc.boolean(),
  })
  .map(({ older, voters, data, ...rest }): Message => ({
    _tag: 'InstallSnapshot',
    ...rest,
    leaderId: rest.from,
    lastIncludedTerm: term(Math.floor(rest.term * older)),
    configuration: votersOnly(voters),
    data: Uint8Array.from(data),
  }))

const installSnapshotReply = fc
  .record({ from: name, to: name, re: seq, term: aTerm, offset: fc.maxSafeNat(), matchIndex: index })
  .map((rest): Message => ({ _tag: 'InstallSnapshotReply', ...rest }))

export const message: fc.Arbitrary<Message> = fc.oneof(
  requestVote,
  requestVoteReply,
  appendEntries,
  appendEntriesReply,
  installSnapshot,
  installSnapshotReply,
)
