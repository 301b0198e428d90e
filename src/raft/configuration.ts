import * as t from 'io-ts'
import { byCodeUnit, Incarnation, NodeId } from './ids.js'

/*
 * §6: who takes part. A server always uses the latest configuration in its log, committed or
 * not; the log therefore carries it (log.ts), and truncating the log takes it back.
 */

/**
 * A server that takes part. `incarnation` names its data directory; null until a leader has
 * learned it. Another incarnation under the same name is another server: its votes do not count.
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

/** The configuration in which every one of `ids` votes and nobody learns. Its members stand in the order of their names. */
export const votersOnly = (ids: ReadonlyArray<NodeId>): Configuration => ({
  _tag: 'Simple',
  voters: [...new Set(ids)].sort(byCodeUnit).map((id) => ({ id, incarnation: null })),
  learners: [],
})

const halves = (c: Configuration): ReadonlyArray<Simple> => (c._tag === 'Simple' ? [c] : [c.old, c.new])

/** The names in each half that votes: one list when simple, two when joint. Agreement needs a majority of every list. */
export const voterSets = (c: Configuration): ReadonlyArray<ReadonlyArray<NodeId>> => {
  let sets = knownVoterSets.get(c)
  if (sets === undefined) knownVoterSets.set(c, (sets = halves(c).map((half) => half.voters.map(({ id }) => id))))
  return sets
}
/** Asked for with every acknowledgement, of the same few values: worked out once for each. */
const knownVoterSets = new WeakMap<Configuration, ReadonlyArray<ReadonlyArray<NodeId>>>()

/** Everyone who is sent the log, once each, by name. */
export const members = (c: Configuration): ReadonlyArray<NodeId> =>
  [...new Set(halves(c).flatMap((half) => [...half.voters, ...half.learners].map(({ id }) => id)))].sort(byCodeUnit)

export const isVoter = (c: Configuration, id: NodeId): boolean => halves(c).some((half) => half.voters.some((member) => member.id === id))
