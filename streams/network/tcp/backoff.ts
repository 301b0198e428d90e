export interface BackoffOptions {
  readonly min: number
  readonly max: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * How long to wait before the next attempt: doubled each time from `min` to `max`, of which a random
 * half is taken off, so that servers which lost each other at once do not call at once.
 */
export class Backoff {
  private ceilingMs: number

  constructor(private readonly options: BackoffOptions) {
    this.ceilingMs = options.min
  }

  nextMs(): number {
    const { max, random } = this.options
    const delayMs = Math.ceil(this.ceilingMs * (1 - random() / 2))
    this.ceilingMs = Math.min(max, this.ceilingMs * 2)
    return delayMs
  }

  /** It worked: the next failure is a first one. */
  reset(): void {
    this.ceilingMs = this.options.min
  }

  /** It cannot work until an operator changes something: no need to ask often. */
  exhaust(): void {
    this.ceilingMs = this.options.max
  }
}
