import { join } from 'node:path'

/*
 * A data directory:
 *
 *   identity.json     whose it is; written last by `bootstrap`, never changed
 *   lock/             who has it open
 *   vote              term, vote and durable marker, in two slots
 *   0000000001.log    the segments of the log, the highest number being written
 */

export const identityFile = (directory: string): string => join(directory, 'identity.json')
export const lockPath = (directory: string): string => join(directory, 'lock')
export const voteFile = (directory: string): string => join(directory, 'vote')
export const segmentFile = (directory: string, segment: number): string => join(directory, `${String(segment).padStart(10, '0')}.log`)

/** The numbers of the segments among `names`, ascending. */
export const segmentsAmong = (names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => (/^\d{10}\.log$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => a - b)
