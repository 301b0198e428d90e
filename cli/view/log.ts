import type { Writable } from 'node:stream'
import { count } from './format.js'

export interface LogOptions {
  /**
   * How many bytes may wait for a slow reader. Default 1 MiB. A line that comes when they are full is dropped, and so
   * are those after it until all is read.
   */
  readonly maxWaitingBytes?: number
}

/**
 * Lines for a reader that may be slow or gone. The process never waits for it; where lines are missing, the log says
 * how many.
 */
export class Log {
  private missing = 0
  private dropping = false
  private readonly maxWaitingBytes: number

  constructor(
    private readonly out: Writable,
    { maxWaitingBytes = 1 << 20 }: LogOptions = {},
  ) {
    this.maxWaitingBytes = maxWaitingBytes
    out.on('drain', () => this.resume())
  }

  /** One line or several, each with its end. */
  write(lines: string): void {
    const { writableLength } = this.out
    this.dropping = this.dropping ? writableLength > 0 : writableLength >= this.maxWaitingBytes
    if (this.dropping) {
      this.missing += linesIn(lines)
      return
    }
    this.resume()
    this.put(lines, linesIn(lines))
  }

  private resume(): void {
    const { missing } = this
    if (missing === 0) return
    this.dropping = false
    this.missing = 0
    this.put(`(${count(missing)} ${missing === 1 ? 'line is' : 'lines are'} missing here: they were not read in time)\n`, missing)
  }

  /** What cannot be written is missing too. */
  private put(text: string, lines: number): void {
    this.out.write(text, (error) => {
      if (error) this.missing += lines
    })
  }
}

const linesIn = (text: string): number => text.split('\n').length - 1
