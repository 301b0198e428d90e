/** A line that Figure 2 does not allow. Caught in accepts.ts, where it becomes a verdict. */
export class Unexplained extends Error {}

/** Says why not, where it does not hold. */
export function must(holds: boolean, why: string): asserts holds {
  if (!holds) throw new Unexplained(why)
}
