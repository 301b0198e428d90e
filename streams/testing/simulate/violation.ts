/** A property that does not hold, and what was seen. */
export interface BrokenProperty {
  readonly name: string
  readonly message: string
}

/** The first property that did not hold. The run ends there. */
export interface SimulatedViolation extends BrokenProperty {
  /** Virtual time. */
  readonly at: number
}
