import { join } from 'node:path'
import { type SnapshotRef, snapshotRef } from '../../../src/raft/ids.js'

/*
 * A data directory:
 *
 *   identity.json         whose it is; written last by `bootstrap`, never changed
 *   lock/                 who has it open
 *   vote                  term, vote and durable marker, in two slots
 *   0000000001.log        the segments of the log, the highest number being written
 *   0000000007.snapshot   snapshots, each under its number
 */

export const identityFile = (directory: string): string => join(directory, 'identity.json')
export const lockPath = (directory: string): string => join(directory, 'lock')
export const voteFile = (directory: string): string => join(directory, 'vote')
export const segmentFile = (directory: string, segment: number): string => join(directory, `${String(segment).padStart(10, '0')}.log`)

export const snapshotFile = (directory: string, ref: SnapshotRef): string => join(directory, `${String(ref).padStart(10, '0')}.snapshot`)

/** The numbers of the segments among `names`, ascending. */
export const segmentsAmong = (names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => (/^\d{10}\.log$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => a - b)

/** The refs of the snapshots among `names`, whole or in part. */
export const snapshotsAmong = (names: ReadonlyArray<string>): ReadonlyArray<SnapshotRef> =>
  names.flatMap((name) => (/^\d{10,}\.snapshot$/.test(name) ? [snapshotRef(Number.parseInt(name, 10))] : []))
