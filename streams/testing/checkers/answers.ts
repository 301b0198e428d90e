import type { NodeId } from '../../../src/raft/ids.js'
import { Window } from './window.js'

/**
 * What a server's state machine answered for the command at an index.
 *
 * @example
 * const answer: Answer<number> = { id: nodeId('n1'), index: 3, result: 7 }
 * const seen: Seen<number> = { _tag: 'Answered', ...answer }
 */
export interface Answer<R> {
  readonly id: NodeId
  readonly index: number
  readonly result: R
}

/** Objects by what they hold, at any depth; bytes by their values. */
export const sameValue = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  return (
    keys.length === others.length &&
    keys.every((key) => key in b && sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}

/**
 * I11: the state machines of all servers give the same answer at the same index, in every life, since they were given
 * the same commands (§2, "identical state machines"). This check sees a state machine that depends on a clock, on dice
 * or on the order of a hash.
 */
export class SameAnswers<R> {
  readonly name = 'state machines are in the same state at the same applied index (§2)'
  private readonly first = new Window<{ readonly result: R; readonly id: NodeId }>()

  constructor(private readonly same: (a: R, b: R) => boolean = sameValue) {}

  see({ id, index, result }: Answer<R>): string | null {
    const first = this.first.at(index)
    if (first === undefined) {
      // Also where another began after a snapshot and has answered later ones already.
      this.first.set(index, { result, id })
      return null
    }
    if (this.same(first.result, result)) return null
    return `the state machine of ${id} answers ${print(result)} at ${index}; that of ${first.id} answered ${print(first.result)}`
  }

  at(index: number): R | undefined {
    return this.first.at(index)?.result
  }
}

const print = (result: unknown): string => (JSON.stringify(result) ?? String(result)).slice(0, 200)
