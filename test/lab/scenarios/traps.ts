import { from } from 'rxjs'
import type { Entry } from '../../../src/raft/state/entry.js'
import { commandEntry } from '../../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, term } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import { admit } from '../../../streams/sinks/inbound.js'
import { encodeMessage } from '../../../streams/wire/message.js'
import type { Lab } from '../lab.js'
import type { Script } from '../script.js'

/*
 * Three mistakes that break safety (Figure 3) and pass all the other behaviours. In the last two the test
 * itself speaks for the servers 1 and 2, which are crashed, so that what arrives is exactly this.
 */

/**
 * §5.4.2 and Figure 8, drawn once: "a log entry that is stored on a majority of servers, but can still be
 * overwritten by a future leader" must not be committed by counting.
 */
export function* olderTermsAreNotCounted(lab: Lab): Script {
  // (a) S1 leads and replicates an entry to S2 alone.
  const s1 = yield* lab.oneLeader()
  const [s2, ...others] = [1, 2, 3, 4].map((n) => lab.next(s1, n)) as [number, number, number, number]
  lab.cut(...others)
  lab.rf(s1).start(2)
  yield 100

  // (b) S1 crashes; S5 is elected by the others, accepts a different entry at the same index, and crashes before it
  // sends it.
  lab.crash(s1)
  lab.cut(s2)
  lab.connect(...others)
  const s5 = yield* lab.oneLeader()
  lab.rf(s5).start(3)
  lab.crash(s5)

  // (c) S1 restarts; it or S2 is elected, and goes on replicating: the older entry is now on a majority.
  const s4 = others.filter((i) => i !== s5)[1]!
  lab.cut(s4)
  lab.start(s1)
  lab.connect(s1, s2)
  yield* lab.oneLeader()
  yield 500

  // (d) They crash; S5 can be elected by S3 and S4, since its last entry is of a newer term, and overwrites it.
  lab.crash(s1)
  lab.crash(s2)
  lab.start(s5)
  lab.connect(s4, s5)
  const last = yield* lab.oneLeader()
  if (last !== s5) lab.fail(`server ${last} was elected, whose log is older than that of ${s5}`)
  const index = yield* lab.one(5, 3, true)
  if (index !== 2) lab.fail(`got index ${index}, but expected 2`)

  lab.reviveAll()
  yield* lab.one(6, 5, true)
  if (lab.appliedAt(1) !== 3) lab.fail('what the last leader committed is not what was applied')
}

type Request = Extract<Message, { readonly seq: unknown }>
type Reply = Extract<Message, { readonly re: unknown }>

/** What server 0 answers to `request`. */
const ask = (lab: Lab, request: Request): Reply => {
  const replies: Reply[] = []
  from(lab.rf(0).receive(encodeMessage(request))).subscribe((bytes) => {
    const event = admit(bytes)
    if (event._tag === 'Received' && 're' in event.message) replies.push(event.message)
  })
  return replies[0] ?? lab.fail(`no reply to ${request._tag}`)
}

const [me, one] = [nodeId('s0'), nodeId('s1')]

/** Figure 2: votedFor is persistent. Who forgets it over a crash may elect two leaders in one term. */
// eslint-disable-next-line require-yield -- all of it happens at once
export function* aVoteOutlivesACrash(lab: Lab): Script {
  lab.crash(1)
  lab.crash(2)
  const grantsTo = (candidate: number): boolean => {
    const candidateId = nodeId(`s${candidate}`)
    const reply = ask(lab, {
      _tag: 'RequestVote',
      from: candidateId,
      to: me,
      seq: messageSeq(1),
      term: term(5),
      candidateId,
      lastLogIndex: logIndex(0),
      lastLogTerm: term(0),
    })
    return reply._tag === 'RequestVoteReply' && reply.voteGranted
  }
  if (!grantsTo(1)) lab.fail('the first vote in a term was refused')
  lab.start(0)
  if (grantsTo(2)) lab.fail('after a crash it voted a second time in term 5')
  if (!grantsTo(1)) lab.fail('after a crash it does not remember for whom it voted')
}

/**
 * Figure 2, AppendEntries 3: entries go only where they conflict. An older request that arrives late says
 * nothing about those after it, which may be what a majority counts on.
 */
// eslint-disable-next-line require-yield -- all of it happens at once
export function* aLateRequestTruncatesNothing(lab: Lab): Script {
  lab.crash(1)
  lab.crash(2)
  let seq = 0
  const append = (prevLogIndex: number, entries: ReadonlyArray<Entry>): Extract<Message, { readonly _tag: 'AppendEntriesReply' }> => {
    const reply = ask(lab, {
      _tag: 'AppendEntries',
      from: one,
      to: me,
      seq: messageSeq(++seq),
      term: term(1),
      leaderId: one,
      prevLogIndex: logIndex(prevLogIndex),
      prevLogTerm: term(prevLogIndex === 0 ? 0 : 1),
      entries,
      leaderCommit: logIndex(0),
    })
    return reply._tag === 'AppendEntriesReply' ? reply : lab.fail(`${reply._tag} to AppendEntries`)
  }
  const three = [1, 2, 3].map((n) => commandEntry(term(1), Uint8Array.of(48 + n)))
  const holdsThree = (): boolean => append(3, []).success
  if (append(0, three).matchIndex !== 3) lab.fail('three entries were not taken')
  append(0, three.slice(0, 1))
  if (!holdsThree()) lab.fail('a late request with fewer entries truncated the log')
  append(1, [])
  if (!holdsThree()) lab.fail('a late heartbeat truncated the log')
}
