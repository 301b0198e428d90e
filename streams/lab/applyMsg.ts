/**
 * What a service is given through `applyCh`: a committed command at the index after the last one, or
 * a snapshot that takes the place of all commands up to and including `snapshotIndex`.
 *
 * @example
 * const shown = (msg: ApplyMsg<string>) =>
 *   msg.commandValid ? `command ${msg.commandIndex}: ${msg.command}` : `snapshot of all up to ${msg.snapshotIndex}`
 */
export type ApplyMsg<C = unknown> = CommandMsg<C> | SnapshotMsg

/**
 * A committed command.
 *
 * @example
 * const log: string[] = []
 * const take = ({ commandIndex, command }: CommandMsg<string>) => (log[commandIndex] = command)
 */
export interface CommandMsg<C = unknown> {
  readonly commandValid: true
  readonly snapshotValid: false
  readonly command: C
  readonly commandIndex: number
}

/**
 * A snapshot, in the place of the commands before it.
 *
 * @example
 * import { json } from 'rxraft'
 *
 * const stateOf = ({ snapshot }: SnapshotMsg) => json<Record<string, string>>().decode(snapshot)
 */
export interface SnapshotMsg {
  readonly commandValid: false
  readonly snapshotValid: true
  readonly snapshot: Uint8Array
  readonly snapshotTerm: number
  readonly snapshotIndex: number
}
