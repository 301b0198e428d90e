/** A property that does not hold, and what was seen. */
export interface BrokenProperty {
  readonly name: string
  readonly message: string
}

/**
 * The first property that did not hold. The run ends there.
 *
 * @example
 * const violation: SimulatedViolation | null = simulate(7, { servers: 3 }).violation
 * if (violation !== null) alarm(`${violation.at} ms: ${violation.message}`)
 */
export interface SimulatedViolation extends BrokenProperty {
  /** Virtual time. */
  readonly at: number
}
