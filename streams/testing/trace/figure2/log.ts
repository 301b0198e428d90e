import type { TraceConfiguration, TraceEntry, TraceMember } from '../line.js'
import { must } from './must.js'

/*
 * The log as the paper draws it: an array. "Log entries consist of two numbers, index and term, and a command" (Figure
 * 6). It shares no code with src/raft/state/log.ts, which it is there to check.
 */

export interface ModelLog {
  /** What a snapshot replaced ends here; 0 and 0 in a new cluster. */
  readonly baseIndex: number
  readonly baseTerm: number
  readonly baseConfiguration: TraceConfiguration
  readonly entries: ReadonlyArray<TraceEntry>
}

/**
 * From `from` on, these entries and no others; or a snapshot in the place of all up to `index`, with what follows it or
 * without (Figure 13, 6 and 7).
 */
export type Change =
  | { readonly _tag: 'Entries'; readonly from: number; readonly entries: ReadonlyArray<TraceEntry> }
  | {
      readonly _tag: 'Snapshot'
      readonly index: number
      readonly term: number
      readonly configuration: TraceConfiguration
      readonly keepsSuffix: boolean
      /** Up to here the log is as before, be it as entries or within the snapshot. */
      readonly kept: number
    }

export const lastIndex = (log: ModelLog): number => log.baseIndex + log.entries.length
export const entryAt = (log: ModelLog, index: number): TraceEntry | undefined => log.entries[index - log.baseIndex - 1]
/** Null where the log holds nothing. */
export const termAt = (log: ModelLog, index: number): number | null =>
  index === log.baseIndex ? log.baseTerm : (entryAt(log, index)?.term ?? null)
export const lastTerm = (log: ModelLog): number => termAt(log, lastIndex(log))!

export const changed = (log: ModelLog, change: Change): ModelLog => {
  if (change._tag === 'Entries') return { ...log, entries: [...log.entries.slice(0, change.from - log.baseIndex - 1), ...change.entries] }
  const { index: baseIndex, term: baseTerm, configuration: baseConfiguration, keepsSuffix } = change
  return { baseIndex, baseTerm, baseConfiguration, entries: keepsSuffix ? log.entries.slice(baseIndex - log.baseIndex) : [] }
}

export const isSame = (a: TraceEntry | undefined, b: TraceEntry | undefined): boolean =>
  a !== undefined && b !== undefined && a.term === b.term && a.kind === b.kind && a.command === b.command

/**
 * "A server always uses the latest configuration in its log" (§6): the names of those who vote, in one list, or in two
 * while it is joint.
 */
export const voterLists = (log: ModelLog): ReadonlyArray<ReadonlyArray<string>> => listsOf(configurationAt(log, lastIndex(log)))

export const configurationAt = (log: ModelLog, index: number): TraceConfiguration => {
  for (let i = index - log.baseIndex - 1; i >= 0; i--) {
    const { kind, command } = log.entries[i]!
    if (kind === 'configuration') return JSON.parse(text(command)) as TraceConfiguration
  }
  return log.baseConfiguration
}

const membersOf = (configuration: TraceConfiguration): ReadonlyArray<TraceMember> =>
  configuration._tag === 'Simple'
    ? [...configuration.voters, ...configuration.learners]
    : [...membersOf(configuration.old), ...membersOf(configuration.new)]

/** By which disk the configuration knows a server; null where it knows it by its name alone, or not at all. */
export const diskNameOf = (log: ModelLog, id: string): string | null =>
  membersOf(configurationAt(log, lastIndex(log))).find((member) => member.id === id)?.incarnation ?? null

/** Whether some voter's disk has no name in the configuration. */
export const isAnonymous = (log: ModelLog): boolean => voterLists(log).some((voters) => voters.some((id) => diskNameOf(log, id) === null))

/** The entry with which a first leader names the disks of all. */
export const namingEntry = (log: ModelLog, term: number, disks: ReadonlyMap<string, string | null>): TraceEntry => {
  const named = (member: TraceMember): TraceMember => ({ ...member, incarnation: member.incarnation ?? disks.get(member.id) ?? null })
  const configuration = configurationAt(log, lastIndex(log))
  must(configuration._tag === 'Simple', 'a first leader is elected by a configuration that is not joint')
  const { voters, learners } = configuration
  const opening = { ...configuration, voters: voters.map(named), learners: learners.map(named) }
  return { term, kind: 'configuration', command: hex(JSON.stringify(opening)) }
}

const listsOf = (configuration: TraceConfiguration): ReadonlyArray<ReadonlyArray<string>> =>
  (configuration._tag === 'Simple' ? [configuration] : [configuration.old, configuration.new]).map(({ voters }) =>
    voters.map(({ id }) => id),
  )

const hex = (text: string): string => Array.from(text, (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('')
const text = (hex: string): string => hex.replace(/../g, (digits) => String.fromCharCode(Number.parseInt(digits, 16)))

/** "A majority of the servers": of each list. */
export const isMajority = (lists: ReadonlyArray<ReadonlyArray<string>>, has: (id: string) => boolean): boolean =>
  lists.every((voters) => voters.filter(has).length > voters.length / 2)
