/*
 * What the live view shows, as a value: `reduce` makes the next one of what was told, `render` draws it.
 */

/** One server, as it last told of itself. */
export interface Row {
  readonly server: string
  readonly role: Condition
  readonly term: number
  readonly leader: string | null
  readonly commitIndex: number
  readonly lastApplied: number
  /** The last index that the snapshot holds; 0 where there is none. */
  readonly snapshotIndex: number
  /** The log in memory, since the snapshot. */
  readonly logBytes: number
  readonly diskBytes: number
  /** Where it takes requests. */
  readonly endpoint: string
}

export type Condition = 'Starting' | 'Follower' | 'Candidate' | 'Leader' | 'Stopped'

/** One line of what happened. What happens again at once is counted, not repeated. */
export interface Note {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  readonly server: string
  readonly mood: Mood
  readonly text: string
  readonly times: number
}

/** `Good`: the cluster can serve; `Bad`: an operator should look. */
export type Mood = 'Plain' | 'Good' | 'Bad'

export interface View {
  readonly title: string
  /** A command to try from another terminal. */
  readonly hint: string
  readonly startedAt: number
  readonly now: number
  readonly rows: ReadonlyArray<Row>
  /** Oldest first, at most `maxNotes`. */
  readonly notes: ReadonlyArray<Note>
  /** The highest commit index at the end of each second, oldest first, at most `maxSeconds`. */
  readonly commits: ReadonlyArray<number>
}

export const maxNotes = 200
export const maxSeconds = 61

export interface Beginning {
  readonly title: string
  readonly hint: string
  readonly at: number
  readonly servers: ReadonlyArray<Pick<Row, 'server' | 'endpoint'>>
}

export const initialView = ({ title, hint, at, servers }: Beginning): View => ({
  title,
  hint,
  startedAt: at,
  now: at,
  rows: servers.map((server) => ({
    ...server,
    role: 'Starting',
    term: 0,
    leader: null,
    commitIndex: 0,
    lastApplied: 0,
    snapshotIndex: 0,
    logBytes: 0,
    diskBytes: 0,
  })),
  notes: [],
  commits: [],
})
