/**
 * What a service is given through `applyCh`: a committed command at the index after the last one, or
 * a snapshot that takes the place of all commands up to and including `snapshotIndex`.
 */
export type ApplyMsg<C = unknown> = CommandMsg<C> | SnapshotMsg

/** A committed command. */
export interface CommandMsg<C = unknown> {
  readonly commandValid: true
  readonly snapshotValid: false
  readonly command: C
  readonly commandIndex: number
}

/** A snapshot, in the place of the commands before it. */
export interface SnapshotMsg {
  readonly commandValid: false
  readonly snapshotValid: true
  readonly snapshot: Uint8Array
  readonly snapshotTerm: number
  readonly snapshotIndex: number
}
