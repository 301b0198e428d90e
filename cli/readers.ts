import { exit } from 'node:process'
import type { Writable } from 'node:stream'

/** What a process writes to. */
export type Output = 'stdout' | 'stderr'

type Outputs = Readonly<Record<Output, Writable>>

/** A reader that is slower than this does not keep a process waiting that can do without it. */
const lastWordsMs = 1_000

/** The reader is no longer there: a pipe that was closed, a terminal that went away. */
const goneCodes: ReadonlyArray<string | undefined> = ['EPIPE', 'ECONNRESET', 'EIO', 'ENXIO']

/**
 * Those who read what a process writes, and what becomes of the process without them. Without a reader that it needs it
 * has said enough: `rxraft watch | head -1` ends quietly, with the exit code that is set by then. The loss of any other
 * changes nothing: a server serves on, and what it writes there is dropped.
 */
export class Readers {
  /** Both, until the command is known. */
  private needed: ReadonlyArray<Output> = ['stdout', 'stderr']

  constructor(private readonly outputs: Outputs) {
    for (const output of ['stdout', 'stderr'] as const)
      outputs[output].on('error', (error: NodeJS.ErrnoException) => {
        if (this.needed.includes(output)) this.end(output, error)
      })
  }

  /** From now on it ends without these, and without no other. */
  need(outputs: ReadonlyArray<Output>): void {
    this.needed = outputs
  }

  /** Waits until all is written: as long as it takes for a reader that is needed. */
  async written(): Promise<void> {
    const waits = (['stdout', 'stderr'] as const).map((output) => ({ output, done: allWritten(this.outputs[output]) }))
    await Promise.all(waits.filter(({ output }) => this.needed.includes(output)).map(({ done }) => done))
    await Promise.race([Promise.all(waits.map(({ done }) => done)), new Promise((resolve) => setTimeout(resolve, lastWordsMs))])
  }

  private end(output: Output, { code, message }: NodeJS.ErrnoException): void {
    if (goneCodes.includes(code)) return exit()
    // Here somebody still wants to read it: a disk is full.
    this.need([])
    this.outputs.stderr.write(`rxraft: ${output} cannot be written (${message}): what was printed is not complete.\n`, () =>
      exit(process.exitCode || 1),
    )
  }
}

/** Everything is on its way to the reader, or can no longer get there. */
const allWritten = (stream: Writable): Promise<void> => new Promise((resolve) => stream.write('', () => resolve()))
