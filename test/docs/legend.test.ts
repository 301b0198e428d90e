import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, nodeId, snapshotRef, writeSeq } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'
import { printEffect, printEvent } from '../../src/raft/print.js'
import { transcript } from '../../streams/testing/transcript.js'
import { commands } from '../../streams/testing/transcriptCommands.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const page = read('docs/legend.md')
const section = (heading: string): string => new RegExp(`^#+ ${heading}\\n([\\s\\S]*?)(?=^#|(?![\\s\\S]))`, 'm').exec(page)![1]!
/** What stands in backticks in the first cells of a section's table. */
const firstCells = (heading: string): ReadonlyArray<string> =>
  [...section(heading).matchAll(/^\| (`.*?`(?:, `.*?`)*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replaceAll('\\|', '|')),
  )

const transcripts = readdirSync(join(root, 'test/transcripts'))
  .map((name) => read(`test/transcripts/${name}`))
  .concat(/```text\n([\s\S]*?)```/.exec(page)![1]!)
  .join('\n')

const n2 = nodeId('n2')
const n3 = nodeId('n3')
const ref = snapshotRef(1)
/** Lines that no transcript has: storage tells of snapshots between two lines, and no transcript has a stranger. */
const printed = [
  printEvent({ _tag: 'SnapshotTaken', index: logIndex(4), data: new Uint8Array(8) }),
  printEvent({ _tag: 'ChunkStored', ref, offset: 4 }),
  printEvent({ _tag: 'SnapshotStored', ref, size: 8 }),
  printEvent({ _tag: 'SnapshotRefused', ref }),
  printEvent({ _tag: 'ChunkRead', ref, offset: 0, data: new Uint8Array(4), peer: n3 }),
  printEffect({ _tag: 'DiscardSnapshots', refs: [ref], after: writeSeq(3) }),
  printEffect({ _tag: 'Ignored', from: n2, why: 'AbsurdTerm' }),
]

/** How the line of each kind begins: the compiler asks for every kind. */
const events: Readonly<Record<RaftEvent['_tag'], RegExp>> = {
  Started: /^> Started/,
  ElectionTimedOut: /^> ElectionTimedOut/,
  HeartbeatDue: /^> HeartbeatDue/,
  Received: /^> n\d→/,
  Proposed: /^> Proposed/,
  Flush: /^> Flush/,
  Persisted: /^> Persisted/,
  Applied: /^> Applied/,
  SnapshotTaken: /^> SnapshotTaken/,
  ChunkStored: /^> ChunkStored/,
  SnapshotStored: /^> SnapshotStored/,
  SnapshotRefused: /^> SnapshotRefused/,
  ChunkRead: /^> ChunkRead/,
  Unreachable: /^> Unreachable/,
}
const effects: Readonly<Record<Effect['_tag'], RegExp>> = {
  Persist: /^persist/,
  Send: /^send/,
  Apply: /^apply/,
  Restore: /^restore/,
  StoreSnapshot: /^store/,
  ReadChunk: /^read/,
  DiscardSnapshots: /^discard/,
  ArmElectionTimer: /^ArmElectionTimer/,
  ArmHeartbeat: /^ArmHeartbeat/,
  ScheduleFlush: /^ScheduleFlush/,
  Ignored: /^ignored/,
  Appended: /^appended/,
  Refused: /^refused/,
}
const messages: Readonly<Record<Message['_tag'], ReadonlyArray<RegExp>>> = {
  RequestVote: [/RequestVote/],
  RequestVoteReply: [/granted/, /denied/],
  AppendEntries: [/AppendEntries/],
  AppendEntriesReply: [/appended/, /refused/],
  InstallSnapshot: [/InstallSnapshot/],
  InstallSnapshotReply: [/wants/, /installed/],
}

describe('docs/legend.md, transcripts', () => {
  it('the transcript is real', () => {
    const [, shown = ''] = /```text\n([\s\S]*?)```/.exec(page)!
    expect(transcript(shown)).toBe(shown)
  })

  it.each(['Events', 'Messages', 'Effects', 'Other lines'])('every line under "%s" stands in a transcript, or is printed so', (heading) => {
    const lines = firstCells(heading)
    expect(lines.length).toBeGreaterThan(4)
    expect(lines.filter((line) => !transcripts.includes(line) && !printed.includes(line))).toEqual([])
  })

  it.each([
    ['Events', Object.values(events)],
    ['Messages', Object.values(messages).flat()],
    ['Effects', Object.values(effects)],
  ] as const)('every kind of line has a row under "%s", and every row a kind', (heading, kinds) => {
    const lines = firstCells(heading)
    expect(kinds.filter((kind) => !lines.some((line) => kind.test(line)))).toEqual([])
    expect(lines.filter((line) => !kinds.some((kind) => kind.test(line)))).toEqual([])
  })

  it('every other line that stands in a transcript has a row', () => {
    const rows = firstCells('Other lines').map((line) => line.split(' ')[0])
    const others = [...transcripts.matchAll(/^(released|lost|doubled|nothing)\b/gm)].map(([, word]) => word)
    expect(rows).toEqual(expect.arrayContaining([...new Set(others)]))
  })

  it('every command has an example, and no other is named', () => {
    const named = firstCells('Commands').map((line) => line.split(' ')[0]!)
    expect([...named].sort()).toEqual(['cluster', ...Object.keys(commands)].sort())
  })
})

/** The rows of marbles in the tests of a file: text in quotes in which time passes, or that is a subscription. */
const rowsOf = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/'( *[-\w()^!|#]*(?: \d+m?s [-\w()^!|#]*)* *)'/g)]
    .map(([, row = '']) => row)
    .filter((row) => /--|\^|^ *-|[|#)]\)?$/.test(row) && !/[a-z]{5,}/.test(row))

describe('docs/legend.md, marbles', () => {
  const tests = readdirSync(join(root, 'marbles')).filter((name) => name.endsWith('.test.ts'))
  const rows = tests.map((name) => ({ name: name.replace('.test.ts', ''), rows: rowsOf(read(`marbles/${name}`)) }))

  it('every sign has a row', () => {
    const signs = new Set(rows.flatMap(({ rows }) => rows.flatMap((row) => Array.from(row.replaceAll(/\d+ms|\w/g, '')))))
    const named = section('Marbles')
    const name = (sign: string): string =>
      sign === ' ' ? '| space |' : sign === '|' ? '`\\|`' : /[()]/.test(sign) ? '`( )`' : `\`${sign}\``
    expect(signs.size).toBeGreaterThan(7)
    expect([...signs].filter((sign) => !named.includes(name(sign)))).toEqual([])
  })

  it.each(rows)('every letter of $name.test.ts has its meaning, and no other letter has one', ({ name, rows }) => {
    const used = new Set(rows.flatMap((row) => [...row.replaceAll(/ \d+m?s /g, '').matchAll(/\w/g)].map(([letter]) => letter)))
    const [, meanings = ''] = new RegExp(`^- \\*\\*\`${name}\`\\*\\*:([\\s\\S]*?)(?=^- |(?![\\s\\S]))`, 'm').exec(section('Letters')) ?? []
    const named = new Set([...meanings.matchAll(/`(\w)`/g)].map(([, letter]) => letter!))
    const digits = /\bdigits\b/.test(meanings)
    const letters = [...used].filter((letter) => !digits || !/\d/.test(letter))
    expect([...named].sort()).toEqual(letters.sort())
  })
})
