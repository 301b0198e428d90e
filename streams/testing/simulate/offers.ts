import type { Codec } from '../../wire/codec.js'
import type { Committed } from '../checkers/record.js'
import type { Window } from '../checkers/window.js'
import type { BrokenProperty } from './violation.js'

/**
 * Compares the commands that clients offered with the log: "nothing was appended" is a promise, which makes it safe to
 * offer a command again (§8).
 */
export class Offers {
  /** Proposals that have not ended. */
  open = 0
  /** How often a command may stand in the log, by its bytes: as often as it was offered and not refused. */
  private readonly mayStand = new Map<string, number>()

  constructor(private readonly codec: Codec<unknown>) {}

  offered(command: unknown): void {
    this.open++
    this.count(command, 1)
  }

  refused(command: unknown): void {
    this.count(command, -1)
  }

  ended(): void {
    this.open--
  }

  private count(command: unknown, times: number): void {
    const key = this.codec.encode(command).join()
    this.mayStand.set(key, (this.mayStand.get(key) ?? 0) + times)
  }

  /** What is wrong when all is applied, or null. */
  scan(committed: Window<Committed>): BrokenProperty | null {
    if (this.open > 0) return { name: 'the story of every proposal ends', message: `${this.open} have not ended, and all is applied` }
    const standing = new Map<string, number>()
    for (let index = committed.lowest; index <= committed.last; index++) {
      const entry = committed.at(index)?.entry
      if (entry?.kind !== 'command') continue
      const key = entry.command.join()
      const times = (standing.get(key) ?? 0) + 1
      const offered = this.mayStand.get(key) ?? 0
      standing.set(key, times)
      if (times > offered)
        return {
          name: 'what was refused was not appended (§8)',
          message: `the command at ${index} stands in the log ${times} times, and was offered ${offered} times without being refused`,
        }
    }
    return null
  }
}
