import type { Effect, Send } from './effect.js'

/**
 * Stands in `after` for the write that this step makes, or for the last write before it. persistence.ts puts the number
 * in its place.
 */
export type ThisWrite = 'thisWrite'

/** An effect as a rule gives it: a rule does not know the number of the write that its step makes. */
export type Decision = Exclude<Effect, Send> | (Omit<Send, 'after'> & { readonly after: ThisWrite | null })

export type Decisions = ReadonlyArray<Decision>
