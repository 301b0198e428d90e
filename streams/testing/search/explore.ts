import type { InvariantViolation } from '../../../src/raft/error.js'
import { withoutDuplicate } from './bounds.js'
import { StateSet } from './stateSet.js'
import { isViolation, type ExploreOptions, type StateNumbers, Successors } from './successors.js'

/** How far a search is. */
export interface SearchProgress {
  /** Different states so far. */
  readonly states: number
  /** Moves that were tried, those that led to a state seen before included. */
  readonly moves: number
  /** How many moves the states that are being looked at are away from the first. */
  readonly depth: number
  /** States found and not yet looked at. */
  readonly frontier: number
}

export interface Explored extends SearchProgress {
  readonly exhausted: boolean
  /**
   * The moves of a shortest way to a violation, each by its number among those of the state before; null if there is
   * none.
   */
  readonly way: ReadonlyArray<number> | null
  readonly violation: InvariantViolation | null
}

/** How many states are looked at between two looks of the caller. */
const stretch = 1 << 14

/**
 * Searches breadth first, so that the first violation is a nearest one. It yields from time to time; a caller that has
 * seen enough stops asking. The states of two levels are held as numbers; of all others only a hash, and how they were
 * reached.
 */
export function* explore(options: ExploreOptions): Generator<SearchProgress, Explored, undefined> {
  const successors = new Successors(options)
  const { stride, next } = successors
  const seen = new StateSet()
  const ways = new Ways()
  let level = new Level(stride)
  let following = new Level(stride)
  /** The number of the first state of the level. */
  let first = 0
  let depth = 0
  let moves = 0

  const initial = successors.initial()
  seen.add(initial)
  level.add(initial)
  ways.add(0, 0)

  for (;;) {
    for (let i = 0; i < level.length; i++) {
      const progress = { states: seen.size, moves, depth, frontier: level.length - i + following.length }
      if (seen.size > options.bounds.states) return { ...progress, exhausted: false, way: null, violation: null }
      if (i % stretch === stretch - 1) yield progress
      let move = 0
      try {
        successors.from(level.chunkOf(i), level.placeOf(i), () => {
          if (!(options.forget && isInVain(next, seen)) && seen.add(next)) {
            following.add(next)
            ways.add(first + i, move)
          }
          move++
        })
      } catch (error) {
        if (!isViolation(error)) throw error
        return { ...progress, moves: moves + move + 1, exhausted: false, way: [...ways.to(first + i), move], violation: error }
      }
      moves += move
    }
    first += level.length
    if (following.length === 0) return { states: seen.size, moves, depth, frontier: 0, exhausted: true, way: null, violation: null }
    level = following
    following = new Level(stride)
    depth++
    yield { states: seen.size, moves, depth, frontier: level.length }
  }
}

/**
 * Whether the same state was seen with fewer duplicates used: from there the same states follow, and no later.
 */
export const isInVain = (state: StateNumbers, seen: Pick<StateSet, 'has'>): boolean => {
  const at = state.length - 2
  const used = state[at]!
  let known = false
  for (let fewer = withoutDuplicate(used); fewer !== null && !known; fewer = withoutDuplicate(fewer)) {
    state[at] = fewer
    known = seen.has(state)
  }
  state[at] = used
  return known
}

/** The states of one level, one after the other, in arrays of a moderate size. */
class Level {
  length = 0
  private readonly chunks: StateNumbers[] = []
  private readonly statesPerChunk = 1 << 16
  constructor(private readonly stride: number) {}

  add(state: StateNumbers): void {
    const at = this.length % this.statesPerChunk
    if (at === 0) this.chunks.push(new Int32Array(this.statesPerChunk * this.stride))
    this.chunks[this.chunks.length - 1]!.set(state, at * this.stride)
    this.length++
  }
  chunkOf(i: number): StateNumbers {
    return this.chunks[Math.floor(i / this.statesPerChunk)]!
  }
  placeOf(i: number): number {
    return (i % this.statesPerChunk) * this.stride
  }
}

/** For each state from which other state it was reached first, and by which of its moves. */
class Ways {
  private length = 0
  private parents = new Uint32Array(1 << 12)
  private moves = new Uint16Array(1 << 12)

  add(parent: number, move: number): void {
    if (this.length === this.parents.length) {
      const parents = new Uint32Array(2 * this.length)
      parents.set(this.parents)
      this.parents = parents
      const numbers = new Uint16Array(2 * this.length)
      numbers.set(this.moves)
      this.moves = numbers
    }
    this.parents[this.length] = parent
    this.moves[this.length++] = move
  }

  to(state: number): ReadonlyArray<number> {
    const way: number[] = []
    for (let at = state; at > 0; at = this.parents[at]!) way.push(this.moves[at]!)
    return way.reverse()
  }
}
