import type { SettingName } from './config/names.js'
import type { Settings } from './config/settings.js'
import type { Io } from './io.js'
import type { Outcome } from './outcome.js'
import type { Output } from './readers.js'

/** What a command is called with. */
export interface CommandCall {
  /** In the order of `usage`; what was left out is missing at the end. */
  readonly args: ReadonlyArray<string>
  /** Its own options, by name: a text, or true for one without a value. */
  readonly options: Readonly<Record<string, string | true | undefined>>
  readonly settings: Settings
  /** Print one line of JSON, last, on stdout: everything else goes to stderr. */
  readonly json: boolean
  readonly io: Io
}

export type Command = (call: CommandCall) => Promise<Outcome>

/** A command as `--help` tells of it. */
export interface CommandSpec {
  /** Its name and arguments: `put <key> <value>`. */
  readonly usage: string
  readonly summary: string
  /** What one has to know beyond the summary. */
  readonly notes: ReadonlyArray<string>
  readonly examples: ReadonlyArray<string>
  readonly settings: ReadonlyArray<SettingName>
  /** Flags and what they are for: `--revision <N>`. */
  readonly options: ReadonlyArray<readonly [flags: string, help: string]>
  /**
   * The outputs of which the command needs a reader: without it the command ends quietly. The readers of other outputs
   * may go away.
   */
  readonly endsWithout: ReadonlyArray<Output>
  /** The command itself, loaded when it is run. */
  readonly load: () => Promise<Command>
}
