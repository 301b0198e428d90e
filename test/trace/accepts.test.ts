import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { settle } from '../../streams/testing/settle.js'
import { acceptsTrace } from '../../streams/testing/trace/figure2/accepts.js'
import type { TraceLine, TraceMessage, TraceMessageOf, TraceState } from '../../streams/testing/trace/line.js'
import { importsOf, sourcesIn } from '../tidy/source.js'
import { mend, play, schedule, seed, settings } from '../raft/schedule.js'
import { tracedCluster } from './runs.js'

const chunks = fc.constantFrom({}, { maxSnapshotChunkBytes: 1 })
const run = fc.tuple(fc.constantFrom(1, 2, 3, 3, 3, 4, 5), settings, chunks, schedule).map(([size, given, small, moves]) => {
  const { cluster, lines } = tracedCluster(size, { ...given, ...small })
  play(cluster, moves)
  mend(cluster)
  settle(cluster)
  return lines
})

describe('the trace of any run', () => {
  it('is one that Figure 2 allows', () => {
    fc.assert(
      fc.property(run, (lines) => {
        expect(acceptsTrace(lines)).toEqual({ _tag: 'Accepted', lines: lines.length })
      }),
      { numRuns: 80, ...seed },
    )
  })
})

/** Another line in the place of one, where it can be told such a lie; null where not. */
type Lie = (line: TraceLine, place: number) => TraceLine | null

const ofState = (lie: (after: TraceState) => Partial<TraceState> | null): Lie => {
  return (line) => {
    const after = lie(line.after)
    return after === null ? null : { ...line, after: { ...line.after, ...after } }
  }
}
const ofSent = <Tag extends TraceMessage['_tag']>(
  tag: Tag,
  lie: (message: TraceMessageOf<Tag>) => Partial<TraceMessageOf<Tag>> | null,
): Lie => {
  return (line) => {
    const at = line.send.findIndex(({ message }) => message._tag === tag)
    const told = at < 0 ? null : lie(line.send[at]!.message as TraceMessageOf<Tag>)
    if (told === null) return null
    return {
      ...line,
      send: line.send.map((send, i) => (i === at ? { ...send, message: { ...send.message, ...told } as TraceMessage } : send)),
    }
  }
}
const ofReceived = <Tag extends TraceMessage['_tag']>(
  tag: Tag,
  lie: (message: TraceMessageOf<Tag>) => Partial<TraceMessageOf<Tag>> | null,
): Lie => {
  return (line) => {
    if (line.event._tag !== 'Received' || line.event.message._tag !== tag) return null
    const told = lie(line.event.message as TraceMessageOf<Tag>)
    return told === null ? null : { ...line, event: { _tag: 'Received', message: { ...line.event.message, ...told } as TraceMessage } }
  }
}
const other = ({ entries }: TraceMessageOf<'AppendEntries'>) =>
  entries.length === 0 ? null : { entries: entries.map((entry) => ({ ...entry, command: `${entry.command}00` })) }

const lies: Readonly<Record<string, Lie>> = {
  'a vote that was refused is granted': ofSent('RequestVoteReply', (m) => (m.voteGranted ? null : { voteGranted: true })),
  'a vote that was granted is refused': ofSent('RequestVoteReply', (m) => (m.voteGranted ? { voteGranted: false } : null)),
  'a refusal arrives as a vote': ofReceived('RequestVoteReply', (m) => (m.voteGranted ? null : { voteGranted: true })),
  'a vote is for another': ofState(({ votedFor }) => (votedFor === null ? null : { votedFor: 'n0' })),
  'a vote is forgotten': ofState(({ votedFor }) => (votedFor === null ? null : { votedFor: null })),
  'an entry arrives as another': ofReceived('AppendEntries', other),
  'an entry is sent as another': ofSent('AppendEntries', other),
  'a log ends later': ofState(({ last }) => ({ last: { ...last, index: last.index + 1 } })),
  'a log ends with a newer term': ofState(({ last }) => ({ last: { ...last, term: last.term + 1 } })),
  'a commit index is raised': ofState(({ commitIndex }) => ({ commitIndex: commitIndex + 1 })),
  'a commit index is lowered': ofState(({ commitIndex }) => (commitIndex === 0 ? null : { commitIndex: commitIndex - 1 })),
  'a commit index is sent that is not known': ofSent('AppendEntries', ({ leaderCommit }) => ({ leaderCommit: leaderCommit + 1 })),
  'a term is lowered': ofState(({ currentTerm }) => (currentTerm === 0 ? null : { currentTerm: currentTerm - 1 })),
  'a term is raised': ofState(({ currentTerm }) => ({ currentTerm: currentTerm + 1 })),
  'a message arrives with a newer term': ofReceived('RequestVote', ({ term }) => ({ term: term + 1 })),
  'a message is invented': (line) =>
    line.event._tag === 'Flush'
      ? {
          ...line,
          event: {
            _tag: 'Received',
            message: { _tag: 'RequestVoteReply', from: 'n9', to: line.id, re: 1, term: line.after.currentTerm, voteGranted: true },
          },
        }
      : null,
  'an answer is kept back': (line) =>
    line.event._tag === 'Received' && line.send.length > 0 && line.event.message._tag !== 'RequestVoteReply' && 'seq' in line.event.message
      ? { ...line, send: [] }
      : null,
  'more is acknowledged than is there': ofSent('AppendEntriesReply', (m) => (m.success ? { matchIndex: m.matchIndex + 1 } : null)),
  'an acknowledgement says more on its way': ofReceived('AppendEntriesReply', (m) => (m.success ? { matchIndex: m.matchIndex + 1 } : null)),
  'a promise waits for no write': (line) =>
    line.write !== null && line.send.some(({ message: m, after }) => after === line.write && m._tag === 'RequestVoteReply')
      ? { ...line, send: line.send.map((send) => ({ ...send, after: null })) }
      : null,
  'what changed is not written': (line) => (line.write === null ? null : { ...line, write: null }),
  'a write is numbered otherwise': (line) => (line.write === null ? null : { ...line, write: line.write + 1 }),
  'a role is another': ofState(({ role }) => ({ role: role === 'Leader' ? 'Follower' : 'Leader' })),
  'more is on the disk': ofState(({ durable }) => ({ durable: durable + 1 })),
  'more is handed over': ofState(({ applyingIndex }) => ({ applyingIndex: applyingIndex + 1 })),
  'a command is applied twice': (line) => (line.apply.length === 0 ? null : { ...line, apply: [...line.apply, ...line.apply] }),
  'a command is not applied': (line) => (line.apply.length === 0 ? null : { ...line, apply: line.apply.slice(1) }),
  'a follower is taken to have more': ofState(({ followers }) => {
    const [first] = Object.entries(followers)
    return first === undefined ? null : { followers: { ...followers, [first[0]]: { nextIndex: 10_000, matchIndex: 9_999 } } }
  }),
  'a snapshot arrives as one of more': ofReceived('InstallSnapshot', (m) => ({ lastIncludedIndex: m.lastIncludedIndex + 1 })),
  'a snapshot is sent that the log does not begin after': ofSent('InstallSnapshot', () => ({ lastIncludedIndex: 9_999 })),
  'a chunk is stored in another place': (line) =>
    line.store.length === 0 ? null : { ...line, store: line.store.map((piece) => ({ ...piece, offset: piece.offset + 1 })) },
  'other bytes are stored': (line) =>
    line.store.length === 0 ? null : { ...line, store: line.store.map((piece) => ({ ...piece, data: `${piece.data}00` })) },
  'more of a snapshot is stored than was given': (line) =>
    line.event._tag === 'SnapshotStored' && line.write !== null ? { ...line, event: { ...line.event, size: line.event.size + 1 } } : null,
  'a snapshot is said to be installed that is under way': ofSent('InstallSnapshotReply', (m) =>
    m.matchIndex === 0 ? { matchIndex: 9_999 } : null,
  ),
  'a log forgets more': ofState(({ base }) => ({ base: { ...base, index: base.index + 1 } })),
  'a log begins after another term': ofState(({ base }) => ({ base: { ...base, term: base.term + 1 } })),
  'a snapshot is not restored': (line) => (line.restore === null ? null : { ...line, restore: null }),
  'a snapshot is restored out of the blue': (line) =>
    line.restore === null && line.event._tag === 'Flush' ? { ...line, restore: { ...line.after.base } } : null,
  'it calls itself something else': (line) =>
    line.actions.some((action) => !action.startsWith('rxraft/')) ? { ...line, actions: ['DropStaleRequest'] } : null,
  'it comes back with a newer term': (line, place) =>
    line.event._tag === 'Started' && place >= 5 // after the first starts
      ? { ...line, event: { ...line.event, recovered: { ...line.event.recovered, currentTerm: line.event.recovered.currentTerm + 1 } } }
      : null,
}

describe('what else a checker must refuse', () => {
  const { cluster, lines } = tracedCluster(3)
  settle(cluster)

  it('a line that is missing, at the latest where it is missed', () => {
    for (const [i, { write }] of lines.entries()) {
      if (write === null) continue
      expect(acceptsTrace(lines.filter((_, n) => n !== i))).toMatchObject({ _tag: 'Rejected' })
    }
  })

  it('a server that does not begin with Started', () => {
    expect(acceptsTrace(lines.slice(1))).toMatchObject({ _tag: 'Rejected', why: 'n1: its first line is not Started' })
  })

  it('nothing in no lines', () => {
    expect(acceptsTrace([])).toEqual({ _tag: 'Accepted', lines: 0 })
  })
})

describe('the checker is independent of what it checks', () => {
  it('only itself and the types of a line are imported', () => {
    const targets = sourcesIn('streams/testing/trace/figure2')
      .flatMap(importsOf)
      .map(({ target }) => target)
    const foreign = targets.filter((target) => !/^streams\/testing\/trace\/(figure2\/|line\.ts$)/.test(target))
    expect(targets.length).toBeGreaterThan(10)
    expect(foreign).toEqual([])
    expect(
      sourcesIn('streams/testing/trace/figure2')
        .flatMap(importsOf)
        .filter(({ target, values }) => target.endsWith('/line.ts') && values.length > 0),
    ).toEqual([])
  })

  it('and neither do the types of a line know the core', () => {
    const line = sourcesIn('streams/testing/trace').filter(({ path }) => path.endsWith('/line.ts'))
    expect(line.flatMap(importsOf).map(({ target }) => target)).toEqual(['fp-ts', 'io-ts'])
  })
})

describe('a trace with one lie in it is rejected, and the line named', () => {
  const runs = fc.sample(run, { numRuns: 40, seed: 1, ...seed })

  it.each(Object.entries(lies).map(([name, lie]) => ({ name, lie })))('$name', ({ lie }) => {
    const told = runs.flatMap((lines) => {
      const places = lines.flatMap((line, i) => (lie(line, i) === null ? [] : [i]))
      const at = places[Math.floor(places.length / 2)]
      return at === undefined ? [] : [{ lines, at }]
    })
    expect(told.length).toBeGreaterThan(0)
    for (const { lines, at } of told.slice(0, 20)) {
      const verdict = acceptsTrace([...lines.slice(0, at), lie(lines[at]!, at)!, ...lines.slice(at + 1)])
      expect(verdict).toEqual({ _tag: 'Rejected', line: at + 1, why: expect.stringContaining(lines[at]!.id) })
    }
  })
})
