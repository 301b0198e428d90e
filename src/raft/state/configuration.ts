import * as t from 'io-ts'
import { byCodeUnit, Incarnation, NodeId } from '../ids.js'

/*
 * §6: the servers that take part. A server always uses the latest configuration in its log, committed or not. So the
 * log carries it (log.ts), and truncating the log takes it back.
 */

/**
 * A server that takes part. `incarnation` names its data directory; null until a leader has learned it. The same name
 * with another incarnation is another server: its votes do not count.
 */
export const Member = t.readonly(t.strict({ id: NodeId, incarnation: t.union([Incarnation, t.null]) }), 'Member')
export type Member = t.TypeOf<typeof Member>

export const Simple = t.readonly(
  t.strict({ _tag: t.literal('Simple'), voters: t.readonlyArray(Member), learners: t.readonlyArray(Member) }),
  'Simple',
)
/** Voters decide; learners receive the log and do not count (thesis §4.2.1). */
export type Simple = t.TypeOf<typeof Simple>

export const Joint = t.readonly(t.strict({ _tag: t.literal('Joint'), old: Simple, new: Simple }), 'Joint')
/** Joint consensus, C-old,new: agreement needs a majority of both halves (§6). */
export type Joint = t.TypeOf<typeof Joint>

export const Configuration = t.union([Simple, Joint], 'Configuration')
/** The set of servers of the cluster (§6). */
export type Configuration = t.TypeOf<typeof Configuration>

/** The configuration in which all of `ids` vote. It has no learners. Its members stand in the order of their names. */
export const votersOnly = (ids: ReadonlyArray<NodeId>): Configuration => ({
  _tag: 'Simple',
  voters: [...new Set(ids)].sort(byCodeUnit).map((id) => ({ id, incarnation: null })),
  learners: [],
})

const halves = (c: Configuration): ReadonlyArray<Simple> => (c._tag === 'Simple' ? [c] : [c.old, c.new])

/**
 * The names in each half that votes: one list when simple, two when joint. Agreement needs a majority of every list.
 */
export const voterSets = (c: Configuration): ReadonlyArray<ReadonlyArray<NodeId>> => {
  let sets = knownVoterSets.get(c)
  if (sets === undefined) knownVoterSets.set(c, (sets = halves(c).map((half) => half.voters.map(({ id }) => id))))
  return sets
}
/** Every acknowledgement asks for the sets of the same few configurations: they are worked out once for each. */
const knownVoterSets = new WeakMap<Configuration, ReadonlyArray<ReadonlyArray<NodeId>>>()

/** Every server that is sent the log, once each, by name. */
export const members = (c: Configuration): ReadonlyArray<NodeId> =>
  [...new Set(halves(c).flatMap((half) => [...half.voters, ...half.learners].map(({ id }) => id)))].sort(byCodeUnit)

/**
 * The member `id`; undefined where it is no member. Every message asks for it: a look at a few names costs less than a
 * table.
 */
const memberOf = (c: Configuration, id: NodeId): Member | undefined => {
  if (c._tag === 'Joint') return memberOf(c.new, id) ?? memberOf(c.old, id)
  for (const member of c.voters) if (member.id === id) return member
  for (const member of c.learners) if (member.id === id) return member
  return undefined
}

/** The incarnation of `id`; null where none is known, undefined where `id` is no member. */
export const incarnationOf = (c: Configuration, id: NodeId): Incarnation | null | undefined => memberOf(c, id)?.incarnation

/** Whether the server with this name and data directory is the one that the configuration means. */
export const isNamed = (c: Configuration, id: NodeId, incarnation: Incarnation | null): boolean => {
  const named = incarnationOf(c, id)
  return named === undefined || named === null || named === incarnation
}

/** Whether the server may vote. The name of a voter with another data directory is another server. */
export const isVoter = (c: Configuration, { id, incarnation }: Member): boolean =>
  isNamed(c, id, incarnation) && halves(c).some((half) => half.voters.some((voter) => voter.id === id))

/** Whether the data directory of some voter is not known yet: no server has led since the cluster was made. */
export const isAnonymous = (c: Configuration): boolean =>
  halves(c).some((half) => half.voters.some(({ incarnation }) => incarnation === null))

/** `c`, in which every member of `known` without an incarnation gets its own. */
export const withIncarnations = (c: Configuration, known: ReadonlyArray<Member>): Configuration => {
  const named = (member: Member): Member => (member.incarnation !== null ? member : (known.find(({ id }) => id === member.id) ?? member))
  const namedHalf = ({ voters, learners }: Simple): Simple => ({ _tag: 'Simple', voters: voters.map(named), learners: learners.map(named) })
  return c._tag === 'Simple' ? namedHalf(c) : { _tag: 'Joint', old: namedHalf(c.old), new: namedHalf(c.new) }
}
