import * as t from 'io-ts'

/*
 * Numbers and names have kinds: a term is no log index. A codec and its type share a name. Each kind of arithmetic has
 * a function. A number or a name gets its kind in this file only.
 */

const natural = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/**
 * Marks a `Term`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<number, TermBrand> = term(1) // the same as `const value: Term`
 */
export interface TermBrand {
  readonly Term: unique symbol
}
/**
 * Wire and disk hold a term in 48 bits. That is enough for a new term every millisecond for nine thousand years.
 *
 * @example
 * Term.is(maxTerm) // true
 * Term.is(maxTerm + 1) // false
 */
export const maxTerm = 2 ** 48 - 1
/** A message may be this far ahead in terms. With an election every 150 ms, its receiver was away for twenty years. */
export const maxTermLead = 2 ** 32
/**
 * A term: "time is divided into terms of arbitrary length", numbered with consecutive integers from 1; 0 before the
 * first election (§5.1).
 *
 * @example
 * import { Term } from 'rxraft/core'
 * Term.is(1) // true
 * Term.is(-1) // false
 */
export const Term = t.brand(t.number, (n): n is t.Branded<number, TermBrand> => natural(n) && n <= maxTerm, 'Term')
export type Term = t.TypeOf<typeof Term>

/**
 * Marks a `LogIndex`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<number, LogIndexBrand> = logIndex(1) // the same as `const value: LogIndex`
 */
export interface LogIndexBrand {
  readonly LogIndex: unique symbol
}
/**
 * A position in the log, from 1; 0 means "before the first entry" (§5.3).
 *
 * @example
 * import { LogIndex } from 'rxraft/core'
 * LogIndex.is(0) // true
 * LogIndex.is(0.5) // false
 */
export const LogIndex = t.brand(t.number, (n): n is t.Branded<number, LogIndexBrand> => natural(n), 'LogIndex')
export type LogIndex = t.TypeOf<typeof LogIndex>
/**
 * A snapshot may stand for so many entries. The disk holds an index in 48 bits, and the log goes on after the snapshot.
 */
export const maxIncludedIndex = 2 ** 47

/**
 * Marks a `NodeId`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<string, NodeIdBrand> = nodeId('n1') // the same as `const value: NodeId`
 */
export interface NodeIdBrand {
  readonly NodeId: unique symbol
}
const nodeIdPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/
/**
 * The name of a server: `[a-z0-9][a-z0-9._-]{0,63}`, so that it is safe in a file name, a host name and a metric label.
 *
 * @example
 * import { NodeId } from 'rxraft/core'
 * NodeId.is('n1') // true
 * NodeId.is('../n1') // false
 */
export const NodeId = t.brand(t.string, (s): s is t.Branded<string, NodeIdBrand> => nodeIdPattern.test(s), 'NodeId')
export type NodeId = t.TypeOf<typeof NodeId>

/**
 * Marks a `Incarnation`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const digitsOf = (incarnation: Branded<string, IncarnationBrand>): string => incarnation // the same as `(incarnation: Incarnation)`
 */
export interface IncarnationBrand {
  readonly Incarnation: unique symbol
}
/**
 * The name of one data directory: 32 hexadecimal digits, drawn when it was made. The same id with another incarnation
 * is another server.
 *
 * @example
 * import { Incarnation } from 'rxraft/core'
 * Incarnation.is('00112233445566778899aabbccddeeff') // true
 * Incarnation.is('n1') // false
 */
export const Incarnation = t.brand(t.string, (s): s is t.Branded<string, IncarnationBrand> => /^[0-9a-f]{32}$/.test(s), 'Incarnation')
export type Incarnation = t.TypeOf<typeof Incarnation>

/**
 * Marks a `WriteSeq`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<number, WriteSeqBrand> = writeSeq(1) // the same as `const value: WriteSeq`
 */
export interface WriteSeqBrand {
  readonly WriteSeq: unique symbol
}
/**
 * The number of a write to stable storage, from 1 in each run; 0 means "nothing was written yet".
 *
 * @example
 * WriteSeq.is(0) // true
 * WriteSeq.is(-1) // false
 */
export const WriteSeq = t.brand(t.number, (n): n is t.Branded<number, WriteSeqBrand> => natural(n), 'WriteSeq')
export type WriteSeq = t.TypeOf<typeof WriteSeq>

/**
 * Marks a `MessageSeq`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<number, MessageSeqBrand> = messageSeq(1) // the same as `const value: MessageSeq`
 */
export interface MessageSeqBrand {
  readonly MessageSeq: unique symbol
}
/**
 * The number of a request among all that its sender made in this run; its one reply echoes it as `re`.
 *
 * @example
 * MessageSeq.is(1) // true
 * MessageSeq.is('1') // false
 */
export const MessageSeq = t.brand(t.number, (n): n is t.Branded<number, MessageSeqBrand> => natural(n), 'MessageSeq')
export type MessageSeq = t.TypeOf<typeof MessageSeq>

/**
 * Marks a `SnapshotRef`, so that nothing else is taken for one.
 *
 * @example
 * import type { Branded } from 'io-ts'
 * const value: Branded<number, SnapshotRefBrand> = snapshotRef(1) // the same as `const value: SnapshotRef`
 */
export interface SnapshotRefBrand {
  readonly SnapshotRef: unique symbol
}
/**
 * The number of a snapshot in its server's storage, from 1. No other snapshot gets the number while it is in use. It
 * names the bytes, which the core never holds.
 *
 * @example
 * SnapshotRef.is(1) // true
 * SnapshotRef.is(1.5) // false
 */
export const SnapshotRef = t.brand(t.number, (n): n is t.Branded<number, SnapshotRefBrand> => natural(n), 'SnapshotRef')
export type SnapshotRef = t.TypeOf<typeof SnapshotRef>

/**
 * `n` as a term. Nothing is checked: the caller must know.
 *
 * @example
 * const first: Term = term(1)
 */
export const term = (n: number): Term => n as Term
/**
 * `n` as a log index. For callers that know: nothing is checked.
 *
 * @example
 * const beginning: LogIndex = logIndex(0)
 */
export const logIndex = (n: number): LogIndex => n as LogIndex
/**
 * `s` as a server's name. Nothing is checked: the caller must know.
 *
 * @example
 * const id: NodeId = nodeId('n1')
 */
export const nodeId = (s: string): NodeId => s as NodeId
/**
 * `n` as the number of a write. Nothing is checked: the caller must know.
 *
 * @example
 * const first: WriteSeq = writeSeq(1)
 */
export const writeSeq = (n: number): WriteSeq => n as WriteSeq
/**
 * `n` as the number of a request. Nothing is checked: the caller must know.
 *
 * @example
 * const first: MessageSeq = messageSeq(1)
 */
export const messageSeq = (n: number): MessageSeq => n as MessageSeq
/**
 * `n` as the number of a snapshot. Nothing is checked: the caller must know.
 *
 * @example
 * const first: SnapshotRef = snapshotRef(1)
 */
export const snapshotRef = (n: number): SnapshotRef => n as SnapshotRef

export const nextTerm = (t: Term): Term => term(t + 1)
/** The index after `i`, or `n` places after it. */
export const after = (i: LogIndex, n = 1): LogIndex => logIndex(i + n)
export const before = (i: LogIndex): LogIndex => logIndex(i - 1)
export const minIndex = (a: LogIndex, b: LogIndex): LogIndex => (a < b ? a : b)
export const maxIndex = (a: LogIndex, b: LogIndex): LogIndex => (a > b ? a : b)
export const nextRef = (ref: SnapshotRef): SnapshotRef => snapshotRef(ref + 1)
export const nextWrite = (s: WriteSeq): WriteSeq => writeSeq(s + 1)

/** Names in the one order that no locale can change: by code unit. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
