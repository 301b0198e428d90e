/**
 * The faults of a network. Probabilities are in [0, 1]. By default there are none.
 *
 * @example
 * memoryNetwork().setFaults({ delayMs: { min: 1, max: 20 }, loss: 0.01, duplication: 0.01, reordering: 0.1 })
 */
export interface Faults {
  /**
   * From sending to arriving, drawn for each message, both ends included. Default 0 to 0: the next turn of the
   * scheduler.
   */
  readonly delayMs: { readonly min: number; readonly max: number }
  /** A message never arrives, and no server is told. */
  readonly loss: number
  /** A message arrives twice. */
  readonly duplication: number
  /**
   * A message is held back by 1 ms to `max(1, delayMs.max)`, and later ones overtake it. Otherwise order is kept
   * between two servers.
   */
  readonly reordering: number
}

export const noFaults: Faults = { delayMs: { min: 0, max: 0 }, loss: 0, duplication: 0, reordering: 0 }

export const areFaults = ({ loss, duplication, reordering, delayMs }: Faults): boolean =>
  loss > 0 || duplication > 0 || reordering > 0 || delayMs.max > 0

/** One copy of a message on its way. */
export interface Copy {
  readonly delayMs: number
  /** Later messages may overtake it. */
  readonly isOvertaken: boolean
  /** The way itself was slow. */
  readonly isSlowed: boolean
}

/**
 * Decides what becomes of each message. The same dice give the same fates; they are drawn only for faults that are
 * asked for.
 */
export class Fates {
  constructor(private readonly random: () => number) {}

  /** The copies that arrive of one message: none where it is lost, two where it is doubled. */
  *copies({ delayMs, loss, duplication, reordering }: Faults, slowMs: Faults['delayMs'] | null): Generator<Copy, undefined> {
    if (this.happens(loss)) return
    const copies = this.happens(duplication) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const isOvertaken = this.happens(reordering)
      const slow = slowMs === null ? 0 : this.draw(slowMs)
      const heldBack = (): number => (isOvertaken ? this.draw({ min: 1, max: Math.max(1, delayMs.max) }) : 0)
      yield { delayMs: slow + this.draw(delayMs) + heldBack(), isOvertaken, isSlowed: slow > 0 }
    }
  }

  private happens(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  private draw({ min, max }: Faults['delayMs']): number {
    return min === max ? min : min + Math.floor(this.random() * (max - min + 1))
  }
}
