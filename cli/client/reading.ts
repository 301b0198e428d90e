import type { Readable } from 'node:stream'
import { linesOf, UnfitLine } from './lineReader.js'

/** Why a source was not read to its end. */
export interface Cut {
  readonly reason: string
  readonly message: string
}

/** The store's default: a longer line is not worth sending. */
const maxKeyBytes = 4_096

/**
 * Reads a source of keys. It never fails: `cut` says what ended it early, and what was read before is put.
 */
export class Reading {
  lines = 0
  bytes = 0
  cut: Cut | null = null

  constructor(
    private readonly stream: Readable,
    /** Null where that is not known. */
    readonly totalBytes: number | null,
  ) {}

  /** One per line, with the line's number as value. */
  async *entries(): AsyncGenerator<{ readonly key: string; readonly value: string }, void, undefined> {
    try {
      for await (const { number, text, endByte } of linesOf(this.stream as AsyncIterable<Uint8Array>, maxKeyBytes)) {
        this.lines++
        this.bytes = endByte
        yield { key: text, value: String(number) }
      }
    } catch (error) {
      this.cut ??= cutBy(error)
    }
  }

  stop(): void {
    this.cut ??= { reason: 'Interrupted', message: 'Interrupted before the end.' }
    this.stream.destroy()
  }

  /**
   * The part of it that is put when `done` of its lines are, from 0 to 1. Lines that were read and are under way count
   * as not read.
   */
  part(done: number): number | null {
    if (this.totalBytes === null) return null
    return this.lines === 0 ? 0 : (this.bytes / this.totalBytes) * (done / this.lines)
  }
}

const cutBy = (error: unknown): Cut => {
  if (error instanceof UnfitLine) return { reason: error.name, message: `${error.message}.` }
  return { reason: 'Unreadable', message: `The rest cannot be read (${error instanceof Error ? error.message : String(error)}).` }
}
