import type { Apply, Restore } from '../../src/raft/effect.js'
import { after, type LogIndex, type Term } from '../../src/raft/ids.js'

interface CommandRun {
  readonly apply: Apply
  given: number
  answered: number
}

/** Is given one command. */
type Give = (index: LogIndex, term: Term, command: Uint8Array) => void

/**
 * The commands and snapshots that were handed over and are not wholly answered, in order. The core bounds them
 * (`maxApplying`).
 */
export class ApplyQueue {
  /** Oldest first. Those after the first snapshot wait for it, and with it. */
  private runs: CommandRun[] = []
  private readonly restores: { readonly restore: Restore; readonly runs: CommandRun[] }[] = []
  /** The place in `runs` of the first one not wholly given. */
  private giving = 0

  add(effect: Apply | Restore): void {
    if (effect._tag === 'Restore') this.restores.push({ restore: effect, runs: [] })
    else (this.restores[this.restores.length - 1]?.runs ?? this.runs).push({ apply: effect, given: 0, answered: 0 })
  }

  /** Gives up to `max` commands, as long as `goesOn`; how many there is still room for. */
  giveTo(give: Give, max: number, goesOn: () => boolean): number {
    let left = max
    while (this.giving < this.runs.length && left > 0 && goesOn()) {
      const run = this.runs[this.giving]!
      const { firstIndex, entries } = run.apply
      while (run.given < entries.length && left > 0 && goesOn()) {
        const { term, command } = entries[run.given]!
        give(after(firstIndex, run.given++), term, command)
        left--
      }
      if (run.given === entries.length) this.giving++
    }
    return left
  }

  /** The index that is to be answered next; null where nothing was asked. */
  get expected(): LogIndex | null {
    const run = this.runs[0]
    return run === undefined || run.answered === run.given ? null : after(run.apply.firstIndex, run.answered)
  }

  /** The expected index is answered; the term of its entry. */
  answered(): Term {
    const run = this.runs[0]!
    const { term } = run.apply.entries[run.answered]!
    if (++run.answered === run.apply.entries.length) {
      this.runs.shift()
      this.giving--
    }
    return term
  }

  /** The snapshot that is next: all commands before it are answered. */
  get restore(): Restore | null {
    return this.runs.length > 0 ? null : (this.restores[0]?.restore ?? null)
  }

  /** The state machine begins with that snapshot: the commands after it are next. */
  restored(): void {
    this.runs = this.restores.shift()?.runs ?? []
    this.giving = 0
  }
}
