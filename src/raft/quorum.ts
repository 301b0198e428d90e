/*
 * Majorities: arithmetic only. configuration.ts knows the voters. With two voter sets (joint consensus, §6) an
 * agreement needs a majority of each.
 */

/**
 * Whether the voters for which `has` holds are a majority of every set. An empty set has no majority.
 *
 * @example
 * isQuorum([['n1', 'n2', 'n3']], (voter) => voter !== 'n3') // true
 * isQuorum([['n1', 'n2', 'n3'], ['n3', 'n4']], (voter) => voter !== 'n3') // false
 */
export const isQuorum = <A>(voterSets: ReadonlyArray<ReadonlyArray<A>>, has: (voter: A) => boolean): boolean =>
  voterSets.every((voters) => {
    let count = 0
    for (const voter of voters) if (has(voter)) count++
    return count * 2 > voters.length
  })

/**
 * The greatest N such that a majority of every set has `value(voter) >= N`. Figure 2 asks this of matchIndex for each N
 * ("a majority of matchIndex[i] ≥ N").
 *
 * @example
 * const matchIndex = new Map([['n1', 7], ['n2', 5], ['n3', 2]])
 * quorumValue([['n1', 'n2', 'n3']], (voter) => matchIndex.get(voter) ?? 0) // 5
 */
export const quorumValue = <A>(voterSets: ReadonlyArray<ReadonlyArray<A>>, value: (voter: A) => number): number => {
  let least = Number.POSITIVE_INFINITY
  for (const voters of voterSets) least = Math.min(least, majorityValue(voters.map(value)))
  return least === Number.POSITIVE_INFINITY ? 0 : least
}

/** The greatest value that more than half of `values` reach; 0 for none. `values` is sorted in place. */
const majorityValue = (values: number[]): number => {
  // Mostly three or five numbers, at every acknowledgement: insertion is faster than the general sort.
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!
    let j = i
    for (; j > 0 && values[j - 1]! < value; j--) values[j] = values[j - 1]!
    values[j] = value
  }
  return values[Math.floor(values.length / 2)] ?? 0
}
