import * as t from 'io-ts'

/*
 * Servers of one cluster are replaced one after another, so builds of several versions run together. The configuration
 * therefore holds the version of the cluster: the newest one that every member knows. A message, an entry kind or an
 * apply rule that came with a version is used only once the cluster has reached it (docs/decisions/0013).
 */

/**
 * The newest cluster version that this build knows.
 *
 * @example
 * console.log(newestVersion)
 */
export const newestVersion = 1

/**
 * The version of a cluster, from 1. A configuration that was written before there were versions is of version 1.
 *
 * @example
 * ClusterVersion.is(1) // true
 */
export const ClusterVersion = new t.Type<number, number>(
  'ClusterVersion',
  (u): u is number => isVersion(u),
  (u, context) => (u === undefined ? t.success(1) : isVersion(u) ? t.success(u) : t.failure(u, context)),
  t.identity,
)
export type ClusterVersion = t.TypeOf<typeof ClusterVersion>

const isVersion = (u: unknown): u is number => Number.isSafeInteger(u) && Number(u) >= 1

/** What a server may send or append, and the cluster version that it came with. */
const cameWith = {
  command: 1,
  noop: 1,
  configuration: 1,
} as const
/**
 * The kinds of entries that came with a cluster version.
 *
 * @example
 * const feature: Feature = 'noop'
 */
export type Feature = keyof typeof cameWith

/**
 * Whether a cluster of `version` may use `feature`: every member knows it. Asked before a leader appends an entry of
 * that kind.
 *
 * @example
 * allows(1, 'configuration') // true
 */
export const allows = (version: ClusterVersion, feature: Feature): boolean => version >= cameWith[feature]

/**
 * The version of a cluster whose members know these versions at most: the least of them. Without members it is this
 * build's.
 *
 * @example
 * clusterVersion([1, 1, 1]) // 1
 */
export const clusterVersion = (supported: ReadonlyArray<ClusterVersion>): ClusterVersion =>
  supported.length === 0 ? newestVersion : Math.min(...supported)
