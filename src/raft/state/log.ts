import { either } from 'fp-ts'
import type { Configuration } from './configuration.js'
import { configurationOf, type Entry } from './entry.js'
import { after, before, type LogIndex, logIndex, maxIndex, minIndex, type Term } from '../ids.js'

/**
 * What stands before the first entry: index and term of the last entry that a snapshot replaced (Figure 13's
 * lastIncludedIndex and lastIncludedTerm), and the configuration at that point (§7). In a new cluster index and term
 * are 0, and the configuration is the first.
 *
 * @example
 * const ofANewCluster: LogBase = { index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) }
 */
export interface LogBase {
  readonly index: LogIndex
  readonly term: Term
  readonly configuration: Configuration
}

/**
 * How much of a log to read at once. The first entry is always given, so that a large one cannot block the log.
 *
 * @example
 * const limit: ReadLimit = { maxEntries: 100, maxBytes: 1 << 16 }
 * const page = (log: Log, first: LogIndex): ReadonlyArray<Entry> => log.from(first, limit)
 */
export interface ReadLimit {
  readonly maxEntries: number
  readonly maxBytes: number
}

/**
 * The log, a persistent value: every change gives a new log and leaves the old one valid.
 * Guarantees:
 *
 *  1. entries stand at consecutive indexes from `base.index + 1` to `lastIndex`;
 *  2. their terms never decrease, starting from `base.term`;
 *  3. two logs of one server that hold the same term at one index are equal up to it (Log Matching, §5.3);
 *  4. appending, truncating, compacting and reading cost the same whatever the length;
 *  5. entries that `compactTo` dropped can be collected as soon as no older value of the log is held.
 *
 * @example
 * const termsOf = (log: Log): ReadonlyArray<Term> => [...log].map(({ term }) => term)
 * const lastEntryOf = (log: Log): Entry | undefined => log.at(log.lastIndex)
 */
export interface Log extends Iterable<Entry> {
  readonly base: LogBase
  readonly lastIndex: LogIndex
  /** The term of the last entry, `base.term` where there is none. */
  readonly lastTerm: Term
  /** The sizes of all commands in it, in bytes. */
  readonly bytes: number
  /** The latest configuration in the log, committed or not: a server uses it (§6). */
  readonly configuration: Configuration
  /** Where the latest configuration stands; `base.index` if no entry holds a configuration. */
  readonly configurationIndex: LogIndex
  /** The configuration that was in force at `index`. */
  configurationAt(index: LogIndex): Configuration
  /**
   * The term at `index`: 0 at 0, so that the consistency check needs no special case; null before the base or after the
   * end.
   */
  termAt(index: LogIndex): Term | null
  /** The entry at `index`; undefined where the log holds none. */
  at(index: LogIndex): Entry | undefined
  /** Entries from `index` on, as many as `limit` allows; none where the log holds none. */
  from(index: LogIndex, limit?: ReadLimit): ReadonlyArray<Entry>
  /** The sizes of the commands from `index` to the end, in bytes. */
  bytesFrom(index: LogIndex): number
  /** The first index whose term is `t` or newer; `lastIndex + 1` if there is none. By binary search. */
  firstIndexOf(t: Term): LogIndex
  /** A log with these entries after its last; this one stays as it is. */
  append(entries: ReadonlyArray<Entry>): Log
  /** "delete the existing entry and all that follow it" (§5.3). */
  truncateFrom(index: LogIndex): Log
  /** Forgets the entries up to and including `index`, which become the base (§7). */
  compactTo(index: LogIndex): Log
}

/**
 * A log that begins after `base`.
 *
 * @example
 * const base: LogBase = { index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) }
 * logFrom(base).lastIndex // 0
 * logFrom(base, [noopEntry(term(1))]).lastIndex // 1
 */
export const logFrom = (base: LogBase, entries: ReadonlyArray<Entry> = []): Log =>
  new ChunkedLog(base, [], base.index, base.index, 0, 0, none, {
    index: base.index,
    configuration: base.configuration,
    former: null,
  }).append(entries)

/**
 * What a snapshot leaves of `log` (Figure 13, 6 and 7): the entries after its last included one, or nothing.
 *
 * @example
 * const first = { index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) }
 * const log = logFrom(first, [noopEntry(term(1)), noopEntry(term(1))])
 * const base: LogBase = { index: logIndex(1), term: term(1), configuration: log.configuration }
 * logAfter(log, { base, keepsSuffix: true }).lastIndex // 2
 * logAfter(log, { base, keepsSuffix: false }).lastIndex // 1
 */
export const logAfter = (log: Log, { base, keepsSuffix }: { readonly base: LogBase; readonly keepsSuffix: boolean }): Log =>
  keepsSuffix ? log.compactTo(base.index) : logFrom(base)

/**
 * The last index up to which two logs of one server are equal, found by binary search (guarantee 3).
 *
 * @example
 * const log = logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) }, [noopEntry(term(1))])
 * commonPrefix(log.append([noopEntry(term(1))]), log.append([noopEntry(term(2))])) // 1
 */
export const commonPrefix = (a: Log, b: Log): LogIndex => lastShared(a, b, (index) => a.termAt(index) === b.termAt(index))

/**
 * The last index up to which `b`, which came from `a`, holds the identical entries: these need not be written again. It
 * does not rely on guarantee 3, which a server that lies can break.
 */
export const keptPrefix = (a: Log, b: Log): LogIndex => lastShared(a, b, (index) => a.at(index) === b.at(index))

const lastShared = (a: Log, b: Log, isShared: (index: LogIndex) => boolean): LogIndex => {
  let low: number = maxIndex(a.base.index, b.base.index)
  let high: number = minIndex(a.lastIndex, b.lastIndex)
  // The most common case: one log continues the other.
  if (low >= high || isShared(logIndex(high))) return logIndex(high)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (isShared(logIndex(middle))) low = middle
    else high = middle - 1
  }
  return logIndex(low)
}

const chunkBits = 10
const chunkLength = 1 << chunkBits
const none: ReadonlyArray<Entry> = []
const unlimited: ReadLimit = { maxEntries: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }

/**
 * A run of up to `chunkLength` entries. Append-only: a log that ends before the chunk does
 * takes a copy to append to, so several logs may share what they have in common.
 */
interface Chunk {
  /** Undefined at the places that compaction gave up. */
  readonly entries: (Entry | undefined)[]
  /** The bytes of all commands in this log before the chunk. */
  readonly bytesBefore: number
}

/** The configurations of a log, latest first, so that truncation only has to let go of the head. */
interface ConfigurationAt {
  readonly index: LogIndex
  readonly configuration: Configuration
  readonly former: ConfigurationAt | null
}

class ChunkedLog implements Log {
  readonly lastTerm: Term

  /**
   * Entry `index` stands in `chunks[(index - 1 - origin) >> chunkBits]`. Compaction moves `origin`
   * by whole chunks, which stay shared; the array `chunks` is shared in the same way as a chunk is.
   */
  constructor(
    readonly base: LogBase,
    private readonly chunks: Chunk[],
    private readonly origin: number,
    readonly lastIndex: LogIndex,
    /** The bytes of all commands before the base, and up to the end. */
    private readonly bytesBefore: number,
    private readonly bytesInAll: number,
    /**
     * The entries that were appended last, as they came. They end where the log ends. Disk, followers and state machine
     * mostly ask for these.
     */
    private readonly appended: ReadonlyArray<Entry>,
    private readonly configurations: ConfigurationAt,
  ) {
    this.lastTerm = this.termAt(lastIndex) ?? base.term
  }

  get bytes(): number {
    return this.bytesInAll - this.bytesBefore
  }

  get configuration(): Configuration {
    return this.configurations.configuration
  }
  get configurationIndex(): LogIndex {
    return this.configurations.index
  }

  configurationAt(index: LogIndex): Configuration {
    let at = this.configurations
    while (at.index > index && at.former !== null) at = at.former
    return at.configuration
  }

  at(index: LogIndex): Entry | undefined {
    if (index <= this.base.index || index > this.lastIndex) return undefined
    const place = index - 1 - this.origin
    return this.chunks[place >> chunkBits]?.entries[place & (chunkLength - 1)]
  }

  termAt(index: LogIndex): Term | null {
    if (index === this.base.index) return this.base.term
    return this.at(index)?.term ?? null
  }

  from(index: LogIndex, { maxEntries, maxBytes }: ReadLimit = unlimited): ReadonlyArray<Entry> {
    const first = maxIndex(index, after(this.base.index))
    const count = Math.min(this.lastIndex - first + 1, maxEntries)
    if (count <= 0) return none
    const { appended } = this
    const isAppended = count === appended.length && first + count - 1 === this.lastIndex
    const entries = isAppended ? appended : this.copy(first, count)
    return maxBytes === Number.POSITIVE_INFINITY ? entries : within(entries, maxBytes)
  }

  private copy(first: LogIndex, count: number): ReadonlyArray<Entry> {
    const start = first - 1 - this.origin
    const end = start + count
    let entries: (Entry | undefined)[] = []
    for (let place = start; place < end; place = ((place >> chunkBits) + 1) << chunkBits) {
      const from = place & (chunkLength - 1)
      const run = this.chunks[place >> chunkBits]!.entries.slice(from, from + end - place)
      entries = place === start ? run : entries.concat(run)
    }
    return entries as ReadonlyArray<Entry>
  }

  bytesFrom(index: LogIndex): number {
    return index > this.lastIndex ? 0 : this.bytesInAll - this.bytesUpTo(before(index))
  }

  firstIndexOf(t: Term): LogIndex {
    let low: number = this.base.index + 1
    let high: number = this.lastIndex + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.at(logIndex(middle))!.term >= t) high = middle
      else low = middle + 1
    }
    return logIndex(low)
  }

  append(entries: ReadonlyArray<Entry>): Log {
    if (entries.length === 0) return this
    const length = this.lastIndex - this.origin
    const chunks = this.ownSpine(length)
    let bytes = this.bytesInAll
    let configurations = this.configurations
    let place = length
    for (const entry of entries) {
      let chunk = chunks[place >> chunkBits]
      if (chunk === undefined) chunks.push((chunk = { entries: [], bytesBefore: bytes }))
      chunk.entries[place & (chunkLength - 1)] = entry
      bytes += entry.size
      place++
      if (entry.kind === 'configuration') {
        const configuration = configurationOf(entry.command)
        if (either.isRight(configuration)) {
          configurations = { index: logIndex(this.origin + place), configuration: configuration.right, former: configurations }
        }
      }
    }
    return new ChunkedLog(this.base, chunks, this.origin, logIndex(this.origin + place), this.bytesBefore, bytes, entries, configurations)
  }

  /** `chunks` if this log ends where they end: then it alone may extend them. Otherwise a copy that ends here. */
  private ownSpine(length: number): Chunk[] {
    const last = this.chunks[this.chunks.length - 1]
    const end = last === undefined ? 0 : (this.chunks.length - 1) * chunkLength + last.entries.length
    if (end === length) return this.chunks
    const full = length >> chunkBits
    const rest = length & (chunkLength - 1)
    const copy = this.chunks.slice(0, full)
    const tail = this.chunks[full]
    if (rest > 0 && tail !== undefined) copy.push({ ...tail, entries: tail.entries.slice(0, rest) })
    return copy
  }

  truncateFrom(index: LogIndex): Log {
    if (index > this.lastIndex) return this
    let configurations = this.configurations
    while (configurations.index >= index && configurations.former !== null) configurations = configurations.former
    const last = maxIndex(before(index), this.base.index)
    return new ChunkedLog(this.base, this.chunks, this.origin, last, this.bytesBefore, this.bytesUpTo(last), none, configurations)
  }

  compactTo(index: LogIndex): Log {
    const t = this.termAt(index)
    if (index <= this.base.index || t === null) return this
    const base = { index, term: t, configuration: this.configurationAt(index) }
    const dropped = (index - this.origin) >> chunkBits
    const origin = this.origin + dropped * chunkLength
    const chunks = this.chunks.slice(dropped)
    // The first chunk that stays may begin with entries that were dropped: it must not hold them.
    const rest = index - origin
    const first = chunks[0]
    if (rest > 0 && first !== undefined) chunks[0] = { ...first, entries: first.entries.slice().fill(undefined, 0, rest) }
    const appended = this.lastIndex - index < this.appended.length ? none : this.appended
    const configurations = configurationsFrom(this.configurations, base)
    return new ChunkedLog(base, chunks, origin, this.lastIndex, this.bytesUpTo(index), this.bytesInAll, appended, configurations)
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (let i = after(this.base.index); i <= this.lastIndex; i = after(i)) yield this.at(i)!
  }

  /**
   * The bytes of all commands up to `index`: the bytes up to the end of its chunk, or of the log, less the entries
   * between.
   */
  private bytesUpTo(index: LogIndex): number {
    if (index <= this.base.index) return this.bytesBefore
    const start = index - this.origin
    const nextChunk = (start >> chunkBits) + 1
    const end = Math.min(nextChunk << chunkBits, this.lastIndex - this.origin)
    let bytes = end < nextChunk << chunkBits ? this.bytesInAll : (this.chunks[nextChunk]?.bytesBefore ?? this.bytesInAll)
    for (let place = start; place < end; place++) bytes -= this.chunks[nextChunk - 1]!.entries[place & (chunkLength - 1)]!.size
    return bytes
  }
}

/** As many of `entries` as `maxBytes` allows, and always the first. */
const within = (entries: ReadonlyArray<Entry>, maxBytes: number): ReadonlyArray<Entry> => {
  let bytes = 0
  for (let i = 0; i < entries.length; i++) if ((bytes += entries[i]!.size) > maxBytes && i > 0) return entries.slice(0, i)
  return entries
}

/** The configurations that stand after `base`, on top of the base's own. */
const configurationsFrom = (at: ConfigurationAt, base: LogBase): ConfigurationAt =>
  at.index > base.index && at.former !== null
    ? { ...at, former: configurationsFrom(at.former, base) }
    : { index: base.index, configuration: base.configuration, former: null }
