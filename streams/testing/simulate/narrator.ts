import { printEvent, printServer } from '../../../src/raft/print.js'
import type { Inspection } from '../../loop/run.js'

/** How many of the last steps are told one by one. */
const keptSteps = 60

const lineAt = (at: number, text: string): string => `${String(at).padStart(8)} ms  ${text}`

/** Tells a run as lines that a person can read. Without `tell` it does nothing. */
export class Narrator {
  /** With the time of the simulation: the time of a step is that of its server's clock. */
  private lastSteps: { readonly at: number; readonly step: Inspection }[] = []

  constructor(private readonly tell: ((line: string) => void) | null) {}

  note(at: number, line: string): void {
    this.tell?.(lineAt(at, line))
  }

  stepped(at: number, step: Inspection): void {
    if (this.tell === null) return
    const { before, after } = step
    if (before.role._tag !== after.role._tag || before.currentTerm !== after.currentTerm) this.tell(lineAt(at, printServer(after)))
    this.lastSteps.push({ at, step })
    if (this.lastSteps.length > 2 * keptSteps) this.lastSteps = this.lastSteps.slice(-keptSteps)
  }

  /** Tells the last steps one by one. */
  tellLastSteps(): void {
    this.tell?.('the last steps:')
    for (const { at, step } of this.lastSteps.slice(-keptSteps))
      this.tell?.(`${lineAt(at, printEvent(step.event))}\n               ${printServer(step.after)}`)
  }
}
