import { votersOnly } from '../../../src/raft/state/configuration.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import { logIndex, type NodeId, nodeId, term } from '../../../src/raft/ids.js'
import { logFrom } from '../../../src/raft/state/log.js'
import { fresh, restart } from '../../../src/raft/state/server.js'
import type { Settings } from '../../../src/raft/settings.js'
import { type MoveKind, pack, type SearchBounds, unpack, type Used } from './bounds.js'
import { eachLoss } from './loss.js'
import type { Outlook } from './spent.js'
import { type SiteOptions, stepSite } from './siteStep.js'
import { type Outcome, Tables } from './tables.js'

/**
 * A state of the search as numbers: a site for each server, the messages under way (0: none), what is used of the
 * bounds, the history.
 */
export type StateNumbers = Int32Array

/** A move, as numbers; what `successors` is about to tell of, when it tells it. */
export interface Move {
  kind: MoveKind
  server: number
  argument: number
  /** What was under way afterwards and is lost, for want of room. */
  lost: ReadonlyArray<number>
  /** Which permutation of the servers made the state canonical. */
  permutation: number
}

export interface ExploreOptions extends SiteOptions {
  readonly bounds: SearchBounds
  readonly settings: Settings
  /** States that differ in the names of the servers only are one. */
  readonly symmetry: boolean
  /**
   * Whether messages that can change nothing any more are left out; see spent.ts. Otherwise the same states of servers
   * and disks are reached through many more states.
   */
  readonly forget: boolean
}

/** What may follow a state. */
export class Successors {
  readonly ids: ReadonlyArray<NodeId>
  readonly stride: number
  readonly tables: Tables
  /** The state that `from` is telling of, and how it came to be. */
  readonly next: StateNumbers
  readonly move: Move = { kind: 'timeout', server: 0, argument: 0, lost: [], permutation: 0 }
  private readonly renamed: StateNumbers
  private readonly least: StateNumbers
  private readonly servers: number
  private told: () => void = () => undefined

  constructor(private readonly options: ExploreOptions) {
    const { servers, messages } = options.bounds
    this.servers = servers
    this.ids = Array.from({ length: servers }, (_, i) => nodeId(`n${i + 1}`))
    this.stride = servers + messages + 2
    this.tables = new Tables(this.ids, options, options.symmetry)
    this.next = new Int32Array(this.stride)
    this.renamed = new Int32Array(this.stride)
    this.least = new Int32Array(this.stride)
  }

  /** The first state: all servers have started, with empty disks. */
  initial(): StateNumbers {
    const { ids, tables, stride, options } = this
    const disk = fresh(logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly(ids) }))
    const sites = ids.map((id) => {
      const site = { server: restart(id, options.settings, disk), disk, unsynced: [], waiting: [], flushDue: false }
      return tables.site(stepSite(site, { _tag: 'Crashes', survive: 0 }, options).site)
    })
    const state = new Int32Array(stride)
    state.set(sites)
    state[stride - 1] = 1
    return state
  }

  /**
   * Calls `tell` for each state that may follow the one at `at` in `states`. The state is then in `next`, and the move
   * that leads to it in `move`. Throws the `InvariantViolation` of a move that breaks an invariant.
   */
  from(states: StateNumbers, at: number, tell: () => void): void {
    const { bounds, forget } = this.options
    const { tables, servers, move } = this
    this.told = tell
    const used = unpack(states[at + this.stride - 2]!)
    for (let server = 0; server < servers; server++) {
      const site = states[at + server]!
      const { server: now, unsynced, flushDue } = tables.sites.at(site)
      const act = (kind: MoveKind, argument: number, using: Used = used): void => {
        move.kind = kind
        move.server = server
        move.argument = argument
        this.happens(states, at, tables.outcome(site, kind, argument), using, -1)
      }
      if (now.role._tag === 'Leader') {
        if (used.heartbeats < bounds.heartbeats) act('heartbeat', 0, { ...used, heartbeats: used.heartbeats + 1 })
        if (used.entries < bounds.entries) act('propose', used.entries + 1, { ...used, entries: used.entries + 1 })
      } else if (now.currentTerm < bounds.terms) {
        act('timeout', 0)
      }
      if (flushDue) act('flush', 0)
      for (let count = 1; count <= now.writeProgress.pending.length; count++) act('persist', count)
      if (used.crashes < bounds.crashes) {
        for (let survive = 0; survive <= unsynced.length; survive++) act('crash', survive, { ...used, crashes: used.crashes + 1 })
      }
    }
    const sites = states.subarray(at, at + servers)
    for (let place = servers; place < servers + bounds.messages; place++) {
      const message = states[at + place]!
      // They stand in order, so equal ones stand together: one is as good as another.
      if (message === 0 || (place > servers && states[at + place - 1] === message)) continue
      const server = tables.receiver(message)
      const site = states[at + server]!
      const outcome = tables.outcome(site, 'deliver', message)
      // A message that changes nothing might as well stay under way: what can follow without it can follow with it.
      if (forget && tables.leadsNowhere(site, outcome, sites, this.outlook(used))) continue
      move.kind = 'deliver'
      move.server = server
      move.argument = message
      this.happens(states, at, outcome, used, place)
      if (used.duplicates === bounds.duplicates) continue
      move.kind = 'duplicate'
      this.happens(states, at, outcome, { ...used, duplicates: used.duplicates + 1 }, -1)
    }
  }

  private readonly pool: number[] = []

  outlookOf(state: StateNumbers): Outlook {
    return this.outlook(unpack(state[this.stride - 2]!))
  }
  private outlook({ heartbeats, crashes }: Used): Outlook {
    const { bounds, silences } = this.options
    return {
      lastTerm: bounds.terms,
      silenceMatters: silences > 0 && heartbeats < bounds.heartbeats,
      crashes: crashes < bounds.crashes,
    }
  }

  private happens(states: StateNumbers, at: number, outcome: Outcome, used: Used, arrived: number): void {
    const { next, stride, servers, move, tables, pool, ids } = this
    if (outcome.violation !== null) throw outcome.violation
    for (let i = 0; i < servers; i++) next[i] = states[at + i]!
    const before = next[move.server]!
    next[move.server] = outcome.site
    pool.length = 0
    for (let place = servers; place < stride - 2; place++) {
      let message = states[at + place]!
      if (message === 0 || place === arrived) continue
      for (const renumbering of outcome.renumberings) message = tables.renumberedMessage(message, renumbering)
      pool.push(message)
    }
    for (const renumbering of outcome.renumberings) {
      const follower = ids.indexOf(renumbering.follower)
      next[follower] = tables.renumberedSite(next[follower]!, renumbering)
    }
    for (const message of outcome.sent) pool.push(message)
    let history = states[at + stride - 1]!
    if (tables.view(before) !== tables.view(outcome.site)) history = tables.observe(history, Array.from(next.subarray(0, servers)))
    next[stride - 2] = pack(used)
    next[stride - 1] = history
    const outlook = this.outlook(used)
    if (!outlook.crashes) for (let i = 0; i < servers; i++) next[i] = tables.inItsLastLife(next[i]!)
    if (this.options.forget) {
      // Who may still crash or double can do whatever can be done afterwards by one who has done so in vain.
      if (move.kind === 'crash' && next[move.server] === (outlook.crashes ? before : tables.inItsLastLife(before))) return
      const now = (message: number): number =>
        outcome.renumberings.reduce((it, renumbering) => tables.renumberedMessage(it, renumbering), message)
      if (move.kind === 'duplicate' && !this.matters(now(move.argument), outlook)) return
      this.forget(outlook)
    }
    this.makeRoom(pool)
  }

  /** Keeps of the messages under way only those that can still change something. */
  private forget(outlook: Outlook): void {
    const { pool } = this
    pool.sort((a, b) => a - b)
    let kept = 0
    for (const message of pool) if (this.matters(message, outlook, kept > 0 && pool[kept - 1] === message)) pool[kept++] = message
    pool.length = kept
  }

  private matters(message: number, outlook: Outlook, again = false): boolean {
    const { tables, next } = this
    return !tables.isSpent(message, next, outlook) && !(again && tables.onceIsEnough(message, next, outlook))
  }

  /**
   * Tells the state with the messages under way, or, if they are too many, with each choice of those that there is room
   * for.
   */
  private makeRoom(underWay: ReadonlyArray<number>): void {
    const room = this.options.bounds.messages
    const tooMany = underWay.length - room
    if (tooMany <= 0) {
      this.move.lost = none
      this.tell(underWay)
      return
    }
    const sites = this.next.slice()
    eachLoss(underWay, tooMany, (kept, lost) => {
      this.next.set(sites)
      this.move.lost = lost
      this.tell(kept)
    })
  }

  private tell(underWay: ReadonlyArray<number>): void {
    const { next, servers, move, stride } = this
    for (let i = servers; i < stride - 2; i++) next[i] = underWay[i - servers] ?? 0
    sort(next, servers, stride - 2)
    move.permutation = 0
    if (this.tables.permutations.length > 1) this.makeCanonical()
    this.told()
  }

  /** Among the names that order the sites by their colors, chooses those that make the least numbers. */
  private makeCanonical(): void {
    const { next, renamed, least, servers, stride, tables, move } = this
    const { permutations } = tables
    let found = false
    for (let p = 0; p < permutations.length; p++) {
      const to = permutations[p]!
      if (!this.isOrdered(to)) continue
      for (let i = 0; i < servers; i++) renamed[to[i]!] = tables.renamedSite(p, next[i]!)
      for (let i = servers; i < stride - 2; i++) renamed[i] = next[i] === 0 ? 0 : tables.renamedMessage(p, next[i]!)
      sort(renamed, servers, stride - 2)
      renamed[stride - 2] = next[stride - 2]!
      renamed[stride - 1] = tables.renamedHistory(p, next[stride - 1]!)
      if (!found || isLess(renamed, least)) {
        least.set(renamed)
        found = true
        move.permutation = p
      }
    }
    next.set(least)
  }

  private isOrdered(to: ReadonlyArray<number>): boolean {
    const { next, servers, tables } = this
    for (let i = 0; i < servers; i++)
      for (let j = 0; j < servers; j++) if (to[i]! < to[j]! && tables.color(next[i]!) > tables.color(next[j]!)) return false
    return true
  }
}

const none: ReadonlyArray<number> = []

const isLess = (a: StateNumbers, b: StateNumbers): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!
  return false
}

/** A few numbers in place: insertion costs a tenth of the general sort. */
const sort = (numbers: Int32Array, start: number, end: number): void => {
  for (let i = start + 1; i < end; i++) {
    const number = numbers[i]!
    let j = i
    for (; j > start && numbers[j - 1]! > number; j--) numbers[j] = numbers[j - 1]!
    numbers[j] = number
  }
}

export const isViolation = (error: unknown): error is InvariantViolation => error instanceof InvariantViolation
