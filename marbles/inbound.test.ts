import { describe, it } from '@jest/globals'
import { logIndex, messageSeq, nodeId, term } from '../src/raft/ids.js'
import type { Message } from '../src/raft/messages.js'
import { inbound } from '../streams/sinks/inbound.js'
import { marblesWith } from '../streams/testing.js'
import { encodeMessage } from '../streams/wire/message.js'

const marbles = marblesWith(it)

const vote: Message = {
  _tag: 'RequestVote',
  from: nodeId('n1'),
  to: nodeId('n2'),
  seq: messageSeq(1),
  term: term(2),
  candidateId: nodeId('n1'),
  lastLogIndex: logIndex(0),
  lastLogTerm: term(0),
}
const received = { _tag: 'Received', message: vote } as const
const rejected = (reason: string, from: string | null = null) => ({ _tag: 'Rejected', kind: 'message', from, reason }) as const

describe('inbound', () => {
  marbles(
    'lets messages in, as bytes and as objects, and rejects the rest one by one',
    ({ hot, expectObservable, expectSubscriptions }) => {
      const wire$ = hot(' --b--o--x--b--|', { b: encodeMessage(vote), o: vote, x: Uint8Array.of(1) })
      const subscribed = '^-------------!'
      const expected = ' --m--m--r--m--|'
      expectObservable(wire$.pipe(inbound())).toBe(expected, { m: received, r: rejected('1 bytes end in the middle of a message') })
      expectSubscriptions(wire$.subscriptions).toBe(subscribed)
    },
  )

  marbles('is silent where the wire is', ({ cold, expectObservable }) => {
    expectObservable(cold('-----').pipe(inbound())).toBe('-----')
  })

  marbles('passes an error of the wire on', ({ cold, expectObservable }) => {
    expectObservable(cold('--o--#', { o: vote }).pipe(inbound())).toBe('--m--#', { m: received })
  })

  marbles('stops listening with its subscriber', ({ hot, expectObservable, expectSubscriptions }) => {
    const wire$ = hot('      --o--o--o--', { o: vote })
    const subscribed = '     ^---!'
    expectObservable(wire$.pipe(inbound()), subscribed).toBe('--m', { m: received })
    expectSubscriptions(wire$.subscriptions).toBe(subscribed)
  })

  marbles('rejects a message of another sender or to another receiver than the link has', ({ cold, expectObservable }) => {
    const wire$ = () => cold('o', { o: vote })
    const n = (i: number) => nodeId(`n${i}`)
    expectObservable(wire$().pipe(inbound({ from: n(1), to: n(2) }))).toBe('m', { m: received })
    expectObservable(wire$().pipe(inbound({ from: n(3), to: n(2) }))).toBe('r', {
      r: rejected('from is n1, but the link is that of n3', 'n3'),
    })
    expectObservable(wire$().pipe(inbound({ from: n(1), to: n(4) }))).toBe('r', { r: rejected('to is n2, but this is n4', 'n1') })
  })

  const secret = 'a password that somebody sent'
  marbles('says where and what was wrong, and never what it held', ({ cold, expectObservable }) => {
    const bad: ReadonlyArray<readonly [unknown, string]> = [
      [null, 'Message is null, not Message'],
      [secret, `Message is a string of ${secret.length} characters, not Message`],
      [{ ...vote, _tag: secret }, 'Message is an object, not Message'],
      [{ ...vote, term: -1 }, 'RequestVote/term is -1, not Term'],
      [{ ...vote, term: 2 ** 53 }, 'RequestVote/term is 9007199254740992, not Term'],
      [{ ...vote, from: secret }, `RequestVote/from is a string of ${secret.length} characters, not NodeId`],
      [{ ...vote, lastLogIndex: undefined }, 'RequestVote/lastLogIndex is undefined, not LogIndex'],
      [{ ...vote, candidateId: 'n3' }, 'Message: candidateId is not the sender'],
      [
        {
          _tag: 'AppendEntries',
          from: 'n1',
          to: 'n2',
          seq: 1,
          term: 2,
          leaderId: 'n1',
          prevLogIndex: 0,
          prevLogTerm: 0,
          leaderCommit: 0,
          entries: [secret],
        },
        'AppendEntries/entries is a list of 1, not Entries',
      ],
    ]
    for (const [wire, reason] of bad) expectObservable(cold('o', { o: wire }).pipe(inbound())).toBe('r', { r: rejected(reason) })
  })
})
