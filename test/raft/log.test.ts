import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Configuration, votersOnly } from '../../src/raft/state/configuration.js'
import { commandEntry, configurationEntry, type Entry } from '../../src/raft/state/entry.js'
import { logIndex, nodeId, term } from '../../src/raft/ids.js'
import { commonPrefix, keptPrefix, type Log, type LogBase, logFrom } from '../../src/raft/state/log.js'

/** The slow, obvious twin: every entry since the first one of all, and how many of them were dropped. */
class ArrayLog {
  constructor(
    readonly base: LogBase,
    readonly all: ReadonlyArray<Entry>,
    readonly configurations: ReadonlyArray<Configuration | null>,
  ) {}

  get lastIndex(): number {
    return this.base.index + this.all.length
  }
  entryAt(index: number): Entry | undefined {
    return this.all[index - this.base.index - 1]
  }
  termAt(index: number): number | null {
    return index === this.base.index ? this.base.term : (this.entryAt(index)?.term ?? null)
  }
  configurationAt(index: number): Configuration {
    for (let i = Math.min(index, this.lastIndex); i > this.base.index; i--) {
      const configuration = this.configurations[i - this.base.index - 1] ?? null
      if (configuration !== null) return configuration
    }
    return this.base.configuration
  }
  append(entries: ReadonlyArray<Entry>, configurations: ReadonlyArray<Configuration | null>): ArrayLog {
    return new ArrayLog(this.base, [...this.all, ...entries], [...this.configurations, ...configurations])
  }
  truncateFrom(index: number): ArrayLog {
    const kept = Math.max(0, index - 1 - this.base.index)
    return new ArrayLog(this.base, this.all.slice(0, kept), this.configurations.slice(0, kept))
  }
  compactTo(index: number): ArrayLog {
    const t = this.termAt(index)
    if (t === null || index <= this.base.index) return this
    const dropped = index - this.base.index
    const base = { index: logIndex(index), term: term(t), configuration: this.configurationAt(index) }
    return new ArrayLog(base, this.all.slice(dropped), this.configurations.slice(dropped))
  }
}

const bootstrapped: LogBase = { index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) }
const logOf = (terms: ReadonlyArray<number>): Log =>
  logFrom(
    bootstrapped,
    terms.map((t) => commandEntry(term(t), new Uint8Array(1))),
  )

interface Pair {
  readonly log: Log
  readonly twin: ArrayLog
}

const configurations = [['n1'], ['n1', 'n2', 'n3'], ['n2', 'n3', 'n4']].map((ids) => votersOnly(ids.map(nodeId)))

const sizesOf = (entries: ReadonlyArray<Entry>): number => entries.reduce((sum, { size }) => sum + size, 0)

/** Everything one can ask, at every index there is and a few beyond. */
const expectSame = ({ log, twin }: Pair, at: ReadonlyArray<number>): void => {
  expect(log.lastIndex - log.base.index).toBe(twin.all.length)
  expect([...log].findIndex((entry, i) => entry !== twin.all[i])).toBe(-1)
  expect(log.base).toEqual(twin.base)
  expect(log.lastIndex).toBe(twin.lastIndex)
  expect(log.lastTerm).toBe(twin.termAt(twin.lastIndex))
  expect(log.bytes).toBe(sizesOf(twin.all))
  expect(log.configuration).toEqual(twin.configurationAt(twin.lastIndex))
  expect(log.configurationIndex).toBe(twin.base.index + twin.configurations.findLastIndex((it) => it !== null) + 1)
  for (const n of at) {
    const index = logIndex(n)
    expect(log.termAt(index)).toBe(twin.termAt(n))
    expect(log.at(index)).toBe(twin.entryAt(n))
    if (n >= twin.base.index) expect(log.configurationAt(index)).toEqual(twin.configurationAt(n))
    const rest = twin.all.slice(Math.max(0, n - twin.base.index - 1))
    expect(log.bytesFrom(index)).toBe(sizesOf(rest))
    expect(log.from(index, { maxEntries: 3, maxBytes: 5 })).toEqual(asMany(rest, 3, 5))
  }
  for (const t of [0, 1, 2, 3, log.lastTerm, log.lastTerm + 1]) {
    const first = twin.all.findIndex((entry) => entry.term >= t)
    expect(log.firstIndexOf(term(t))).toBe(first < 0 ? twin.lastIndex + 1 : twin.base.index + 1 + first)
  }
}

const asMany = (entries: ReadonlyArray<Entry>, maxEntries: number, maxBytes: number): ReadonlyArray<Entry> => {
  let count = Math.min(entries.length, maxEntries)
  while (count > 1 && sizesOf(entries.slice(0, count)) > maxBytes) count--
  return entries.slice(0, count)
}

/** Changes of random logs: any older value may be changed again, so that the history is a tree. */
const change = fc.record({
  what: fc.constantFrom('append', 'append', 'append', 'truncate', 'compact'),
  which: fc.nat(1_000_000),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  entries: fc.array(
    fc.record({ newer: fc.constantFrom(0, 0, 0, 1, 2), size: fc.nat(4), configuration: fc.constantFrom(null, null, null, 0, 1, 2) }),
    { maxLength: 6 },
  ),
  // Appended as well, so that chunks fill up.
  many: fc.constantFrom(0, 0, 0, 500, 1023, 1024, 1025, 2048),
})
type Change = typeof change extends fc.Arbitrary<infer A> ? A : never

const changed = ({ log, twin }: Pair, { what, place, entries, many }: Change): Pair => {
  const span = twin.lastIndex - twin.base.index
  const index = logIndex(twin.base.index + Math.round(place * (span + 2)) - 1)
  if (what === 'truncate') return { log: log.truncateFrom(index), twin: twin.truncateFrom(index) }
  if (what === 'compact') return { log: log.compactTo(index), twin: twin.compactTo(index) }
  let newest: number = log.lastTerm
  const made = entries.map(({ newer, size, configuration }) => {
    newest += newer
    return configuration === null
      ? commandEntry(term(newest), new Uint8Array(size))
      : configurationEntry(term(newest), configurations[configuration]!)
  })
  const filler = Array.from({ length: many }, () => commandEntry(term(newest), new Uint8Array(1)))
  const inForce = [
    ...entries.map(({ configuration }) => (configuration === null ? null : configurations[configuration]!)),
    ...filler.map(() => null),
  ]
  return { log: log.append([...made, ...filler]), twin: twin.append([...made, ...filler], inForce) }
}

const base = fc
  .record({ index: fc.constantFrom(0, 0, 1, 7, 1023, 1024, 1025, 70_000), term: fc.constantFrom(0, 3) })
  .map(({ index, term: t }): LogBase => ({ index: logIndex(index), term: term(index === 0 ? 0 : t), configuration: configurations[0]! }))

describe('the log is a value', () => {
  it('is what an array of entries would be, however often it forks, and every older value stays what it was', () => {
    fc.assert(
      fc.property(
        base,
        fc.array(change, { maxLength: 14 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (from, changes, places) => {
          const values: Pair[] = [{ log: logFrom(from), twin: new ArrayLog(from, [], []) }]
          for (const it of changes) values.push(changed(values[Math.max(0, values.length - 1 - (it.which % 3))]!, it))
          for (const pair of values) {
            const {
              base: { index },
              lastIndex,
            } = pair.twin
            expectSame(pair, [
              0,
              index - 1,
              index,
              index + 1,
              lastIndex,
              lastIndex + 1,
              ...places.map((p) => Math.round(index + p * (lastIndex - index))),
            ])
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  it('is itself where nothing changes', () => {
    const log = logOf([1, 1, 2])
    expect(log.append([])).toBe(log)
    expect(log.truncateFrom(logIndex(4))).toBe(log)
    expect(log.compactTo(logIndex(0))).toBe(log)
    expect(log.compactTo(logIndex(4))).toBe(log)
  })

  it('lets go of what was compacted', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const dropped: WeakRef<Entry>[] = []
    const kept: WeakRef<Entry>[] = []
    const grown = (): Log => {
      const entries = Array.from({ length: 3_000 }, () => commandEntry(term(1), new Uint8Array(1)))
      entries.forEach((entry, i) => (i < 2_500 ? dropped : kept).push(new WeakRef(entry)))
      return logFrom(bootstrapped, entries).compactTo(logIndex(2_500))
    }
    const log = grown()
    await new Promise(setImmediate) // a WeakRef holds its target until the turn ends
    collect()
    expect(dropped.filter((ref) => ref.deref() !== undefined)).toEqual([])
    expect(kept.filter((ref) => ref.deref() === undefined)).toEqual([])
    expect(log.lastIndex).toBe(3_000)
  })
})

describe('from: as many entries as the limit allows', () => {
  const sized = logFrom(
    bootstrapped,
    [3, 1, 1, 9, 0].map((size) => commandEntry(term(1), new Uint8Array(size))),
  )

  it.each([
    { index: 1, maxEntries: 9, maxBytes: 4, sizes: [3, 1] },
    { index: 1, maxEntries: 9, maxBytes: 5, sizes: [3, 1, 1] },
    { index: 1, maxEntries: 2, maxBytes: 5, sizes: [3, 1] },
    { index: 4, maxEntries: 9, maxBytes: 2, sizes: [9] }, // a large one must not block the log
    { index: 4, maxEntries: 9, maxBytes: 9, sizes: [9, 0] },
    { index: 2, maxEntries: 0, maxBytes: 9, sizes: [] },
    { index: 6, maxEntries: 9, maxBytes: 9, sizes: [] },
    { index: 0, maxEntries: 1, maxBytes: 9, sizes: [3] },
  ])('$maxEntries entries, $maxBytes bytes from $index on: $sizes', ({ index, maxEntries, maxBytes, sizes }) => {
    expect(sized.from(logIndex(index), { maxEntries, maxBytes }).map(({ size }) => size)).toEqual(sizes)
  })
})

describe('keptPrefix', () => {
  it('is where a log was changed, even where the terms say otherwise: a server that lies may send two entries of one term and index', () => {
    const log = logOf([1, 1, 3, 3])
    const replaced = log.truncateFrom(logIndex(2)).append(logOf([1, 3, 3, 3]).from(logIndex(2)))
    expect(commonPrefix(log, replaced)).toBe(4)
    expect(keptPrefix(log, replaced)).toBe(1)
    expect(keptPrefix(log, log.compactTo(logIndex(2)))).toBe(4)
    expect(keptPrefix(log, log.truncateFrom(logIndex(4)))).toBe(3)
    expect(keptPrefix(log, log.append(logOf([4]).from(logIndex(1))))).toBe(4)
    expect(keptPrefix(log, logFrom({ ...log.base, index: logIndex(9) }))).toBe(4)
  })
})

describe('commonPrefix', () => {
  const terms = fc
    .array(fc.nat(3), { maxLength: 12 })
    .map((steps) => steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? 1) + step], []))

  it('is where two logs of one server part, as counting from the start says', () => {
    fc.assert(
      fc.property(terms, terms, terms, fc.nat(12), fc.nat(12), (shared, ours, theirs, compactOurs, compactTheirs) => {
        // After the last shared entry no term occurs in both: one leader makes one entry at an index (§5.3).
        const last = shared.at(-1) ?? 0
        const [a, b] = [
          [...shared, ...ours.map((t) => last + 2 * t)],
          [...shared, ...theirs.map((t) => last + 2 * t + 1)],
        ]
        // Only what both hold can have been committed and therefore be replaced by a snapshot.
        const compacted = (all: ReadonlyArray<number>, n: number): Log => logOf(all).compactTo(logIndex(Math.min(n, shared.length)))
        expect(commonPrefix(compacted(a, compactOurs), compacted(b, compactTheirs))).toBe(shared.length)
      }),
    )
  })

  it.each([
    { ours: [], theirs: [], common: 0 },
    { ours: [1], theirs: [], common: 0 },
    { ours: [1], theirs: [2], common: 0 },
    { ours: [1, 1, 2], theirs: [1, 1, 3], common: 2 },
    { ours: [1, 1, 2], theirs: [1, 1, 2, 4], common: 3 },
  ])('of $ours and $theirs is $common', ({ ours, theirs, common }) => {
    expect(commonPrefix(logOf(ours), logOf(theirs))).toBe(common)
  })
})
