import type { ClusterRecord } from './record.js'

/**
 * I16: a watcher of the commands gets each of them in order, without a gap and none twice, also when it goes on at
 * another server.
 */
export class WatchInOrder {
  readonly name = 'a watch misses nothing, and gets nothing twice'
  private reached = 0

  constructor(private readonly record: ClusterRecord) {}

  /** Where to go on. */
  get next(): number {
    return this.reached + 1
  }

  /** The state below is in the snapshot that a server begins with: there is nothing to be seen of it. */
  skip(base: number): void {
    this.reached = Math.max(this.reached, base)
  }

  see(index: number): string | null {
    if (index <= this.reached) return `it gets ${index} after ${this.reached}`
    for (let missed = this.reached + 1; missed < index; missed++) {
      if (this.record.committed.at(missed)?.entry?.kind === 'command') return `it gets ${index} and missed ${missed}`
    }
    this.reached = index
    return null
  }
}
