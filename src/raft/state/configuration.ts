import * as t from 'io-ts'
import { byCodeUnit, Incarnation, NodeId } from '../ids.js'
import { Address } from './address.js'
import { ClusterVersion, clusterVersion, newestVersion } from './version.js'

/*
 * §6: the servers that take part. A server always uses the latest configuration in its log, committed or not. So the
 * log carries it (log.ts), and truncating the log takes it back.
 */

/**
 * A server that takes part. `incarnation` names its data directory; null until a leader has learned it. The same name
 * with another incarnation is another server: its votes do not count.
 * The addresses say where other servers and where clients reach it. A network of one process needs none.
 *
 * @example
 * const member: Member = { id: nodeId('n1'), incarnation: null, peerAddress: { host: '10.0.0.1', port: 7501 } }
 */
export const Member = t.readonly(
  t.exact(
    t.intersection([
      t.type({ id: NodeId, incarnation: t.union([Incarnation, t.null]) }),
      t.partial({ peerAddress: Address, clientAddress: Address }),
    ]),
  ),
  'Member',
)
export type Member = t.TypeOf<typeof Member>

/**
 * The members of a cluster.
 *
 * @example
 * const withLearner: Simple = { ...votersOnly([nodeId('n1')]), learners: [{ id: nodeId('n2'), incarnation: null }] }
 */
export const Simple = t.readonly(
  t.strict({ _tag: t.literal('Simple'), version: ClusterVersion, voters: t.readonlyArray(Member), learners: t.readonlyArray(Member) }),
  'Simple',
)
/** Voters decide; learners receive the log and do not count (thesis §4.2.1). For `version` see version.ts. */
export type Simple = t.TypeOf<typeof Simple>

/**
 * The old members and the new, while the one takes the place of the other (§6).
 *
 * @example
 * const joint: Joint = { _tag: 'Joint', old: votersOnly([nodeId('n1')]), new: votersOnly([nodeId('n1'), nodeId('n2')]) }
 * voterSets(joint) // [['n1'], ['n1', 'n2']]
 */
export const Joint = t.readonly(t.strict({ _tag: t.literal('Joint'), old: Simple, new: Simple }), 'Joint')
/** Joint consensus, C-old,new: agreement needs a majority of both halves (§6). */
export type Joint = t.TypeOf<typeof Joint>

/**
 * The codec of a `Configuration`.
 *
 * @example
 * import { Configuration, nodeId, votersOnly } from 'rxraft/core'
 * Configuration.is(votersOnly([nodeId('n1')])) // true
 * Configuration.is({ _tag: 'Simple' }) // false
 */
export const Configuration = t.union([Simple, Joint], 'Configuration')
/** The set of servers of the cluster (§6). */
export type Configuration = t.TypeOf<typeof Configuration>

/**
 * A voter of a new cluster: its name, or its name and where it is reached.
 *
 * @example
 * const voter: NewVoter = { id: nodeId('n1'), peerAddress: { host: '10.0.0.1', port: 7501 } }
 */
export type NewVoter = NodeId | Omit<Member, 'incarnation'>

/**
 * The configuration of a new cluster in which each of `voters` votes and no server learns. The voters stand in the
 * order of their names.
 *
 * @example
 * votersOnly([nodeId('n1'), nodeId('n2')])
 * votersOnly([{ id: nodeId('n1'), peerAddress: { host: '10.0.0.1', port: 7501 } }])
 */
export const votersOnly = (voters: ReadonlyArray<NewVoter>): Simple => {
  const byName = new Map(voters.map((voter) => (typeof voter === 'string' ? [voter, { id: voter }] : [voter.id, voter])))
  return {
    _tag: 'Simple',
    version: newestVersion,
    voters: [...byName.values()]
      .sort((a, b) => byCodeUnit(a.id, b.id))
      .map(({ id, ...addresses }) => ({ id, incarnation: null, ...addresses })),
    learners: [],
  }
}

const halves = (c: Configuration): ReadonlyArray<Simple> => (c._tag === 'Simple' ? [c] : [c.old, c.new])

/**
 * The names in each half that votes: one list when simple, two when joint. Agreement needs a majority of every list.
 *
 * @example
 * voterSets(votersOnly([nodeId('n1'), nodeId('n2')])) // [['n1', 'n2']]
 */
export const voterSets = (c: Configuration): ReadonlyArray<ReadonlyArray<NodeId>> => {
  let sets = knownVoterSets.get(c)
  if (sets === undefined) knownVoterSets.set(c, (sets = halves(c).map((half) => half.voters.map(({ id }) => id))))
  return sets
}
/** Every acknowledgement asks for the sets of the same few configurations: they are worked out once for each. */
const knownVoterSets = new WeakMap<Configuration, ReadonlyArray<ReadonlyArray<NodeId>>>()

/**
 * All servers that are sent the log, once each, by name.
 *
 * @example
 * members(votersOnly([nodeId('n2'), nodeId('n1')])) // ['n1', 'n2']
 */
export const members = (c: Configuration): ReadonlyArray<NodeId> =>
  [...new Set(halves(c).flatMap((half) => [...half.voters, ...half.learners].map(({ id }) => id)))].sort(byCodeUnit)

/**
 * The version of the cluster. While it is joint both halves decide, so the older one counts.
 *
 * @example
 * versionOf(votersOnly([nodeId('n1')])) // 1
 */
export const versionOf = (c: Configuration): ClusterVersion =>
  c._tag === 'Simple' ? c.version : clusterVersion([c.old.version, c.new.version])

/**
 * What is known of `id`; undefined where it is no member. Asked for with every message: a look at a few names costs
 * less than a table.
 */
export const memberOf = (c: Configuration, id: NodeId): Member | undefined => {
  if (c._tag === 'Joint') return memberOf(c.new, id) ?? memberOf(c.old, id)
  for (const member of c.voters) if (member.id === id) return member
  for (const member of c.learners) if (member.id === id) return member
  return undefined
}

/**
 * The incarnation of `id`; null where none is known, undefined where `id` is no member.
 *
 * @example
 * incarnationOf(votersOnly([nodeId('n1')]), nodeId('n1')) // null: no leader has learned it yet
 * incarnationOf(votersOnly([nodeId('n1')]), nodeId('n2')) // undefined: no member
 */
export const incarnationOf = (c: Configuration, id: NodeId): Incarnation | null | undefined => memberOf(c, id)?.incarnation

/** Whether the server with this name and data directory is the one that the configuration means. */
export const isNamed = (c: Configuration, id: NodeId, incarnation: Incarnation | null): boolean => {
  const named = incarnationOf(c, id)
  return named === undefined || named === null || named === incarnation
}

/**
 * Whether the server may vote. The name of a voter with another data directory is another server.
 *
 * @example
 * isVoter(votersOnly([nodeId('n1')]), { id: nodeId('n1'), incarnation: null }) // true
 */
export const isVoter = (c: Configuration, { id, incarnation }: Member): boolean =>
  isNamed(c, id, incarnation) && halves(c).some((half) => half.voters.some((voter) => voter.id === id))

/** Whether the data directory of some voter is not known yet: no server has led since the cluster was made. */
export const isAnonymous = (c: Configuration): boolean =>
  halves(c).some((half) => half.voters.some(({ incarnation }) => incarnation === null))

/** `c`, in which every member of `known` without an incarnation gets its own. Everything else stays, addresses too. */
export const withIncarnations = (c: Configuration, known: ReadonlyArray<Member>): Configuration => {
  const named = (member: Member): Member => {
    const incarnation = member.incarnation ?? known.find(({ id }) => id === member.id)?.incarnation ?? null
    return incarnation === member.incarnation ? member : { ...member, incarnation }
  }
  const namedHalf = (half: Simple): Simple => ({ ...half, voters: half.voters.map(named), learners: half.learners.map(named) })
  return c._tag === 'Simple' ? namedHalf(c) : { _tag: 'Joint', old: namedHalf(c.old), new: namedHalf(c.new) }
}
