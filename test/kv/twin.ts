import type { Change, Compare, KeyRange, KeyValue, KvAnswer, KvCommand, KvResult, Range, Revision, Txn, TxnOp } from '../../src/kv/index.js'
import { contains, isAnswer, revision } from '../../src/kv/index.js'

/**
 * The slow, obvious twin of the store: every state that ever was, as a sorted array, and every change that ever was. No
 * tree, no history that is cut, no undoing.
 */
export interface Twin {
  /** `states[r]` are the keys right after revision `r`. */
  readonly states: ReadonlyArray<ReadonlyArray<KeyValue>>
  readonly changes: ReadonlyArray<Change>
  readonly compactRevision: Revision
}

export const emptyTwin: Twin = { states: [[], []], changes: [], compactRevision: revision(1) }

const nextAfter = (r: Revision): Revision => revision(r + 1)

export const revisionOf = ({ states }: Twin): Revision => revision(states.length - 1)

interface Step {
  readonly result: KvResult
  readonly keys: ReadonlyArray<KeyValue>
  readonly events: ReadonlyArray<Change>
}

/** What a command does. One that is refused does nothing; one that changes nothing makes no revision. */
export const twinApply = (
  twin: Twin,
  command: KvCommand,
): { readonly twin: Twin; readonly result: KvResult; readonly events: ReadonlyArray<Change> } => {
  if (command._tag === 'Compact') {
    const { compactRevision } = twin
    if (command.revision <= compactRevision) return { twin, result: { _tag: 'Compacted', compactRevision }, events: [] }
    const now = revisionOf(twin)
    if (command.revision > now) return { twin, result: { _tag: 'FutureRevision', revision: now }, events: [] }
    return { twin: { ...twin, compactRevision: command.revision }, result: { _tag: 'CompactDone', revision: now }, events: [] }
  }
  if (command._tag === 'Register' || command._tag === 'Expire') throw new TypeError('the twin knows no sessions')
  const before: Step = { result: { _tag: 'KeyEmpty' }, keys: twin.states[twin.states.length - 1] ?? [], events: [] }
  const { result, keys, events } =
    command._tag === 'CompareAndSet' ? compareAndSet(twin, before, command) : perform(twin, before, before, command)
  if (!isAnswer(result) || events.length === 0) return { twin, result, events: [] }
  return { twin: { ...twin, states: [...twin.states, keys], changes: [...twin.changes, ...events] }, result, events }
}

const compareAndSet = (twin: Twin, step: Step, command: Extract<KvCommand, { _tag: 'CompareAndSet' }>): Step => {
  const kv = step.keys.find(({ key }) => key === command.key) ?? null
  return (kv?.modRevision ?? 0) === command.modRevision
    ? perform(twin, step, step, { ...command, _tag: 'Put' })
    : { ...step, result: { _tag: 'Conflict', revision: revisionOf(twin), kv } }
}

/** `start` is the state before the whole transaction, `step` the state so far. */
const perform = (twin: Twin, start: Step, step: Step, op: TxnOp): Step => {
  const next = nextAfter(revisionOf(twin))
  const now = step.events.length > 0 ? next : revisionOf(twin)
  switch (op._tag) {
    case 'Get':
    case 'Range':
      return { ...step, result: read(twin, step.keys, now, op) }
    case 'Put':
    case 'Append': {
      const prevKv = step.keys.find(({ key }) => key === op.key) ?? null
      const value = op._tag === 'Append' && prevKv !== null ? Uint8Array.from([...prevKv.value, ...op.value]) : op.value
      const kv: KeyValue = {
        key: op.key,
        value,
        createRevision: prevKv?.createRevision ?? next,
        modRevision: next,
        version: (prevKv?.version ?? 0) + 1,
      }
      return {
        result: { _tag: 'Written', revision: next, prevKv: op.prevKv ? prevKv : null },
        keys: [...step.keys.filter(({ key }) => key !== op.key), kv].sort((a, b) => (a.key < b.key ? -1 : 1)),
        events: [...step.events, { _tag: 'Put', revision: next, key: op.key, kv, prevKv }],
      }
    }
    case 'Delete': {
      const prevKvs = step.keys.filter(({ key }) => contains(op.range, key))
      const events = prevKvs.map((prevKv): Change => ({ _tag: 'Delete', revision: next, key: prevKv.key, kv: null, prevKv }))
      return {
        result: {
          _tag: 'Deleted',
          revision: prevKvs.length > 0 ? next : now,
          deleted: prevKvs.length,
          prevKvs: op.prevKv ? prevKvs : [],
        },
        keys: step.keys.filter(({ key }) => !contains(op.range, key)),
        events: [...step.events, ...events],
      }
    }
    case 'Txn':
      return transact(twin, start, step, op)
  }
}

const transact = (twin: Twin, start: Step, step: Step, { compares, success, failure }: Txn): Step => {
  const succeeded = compares.every((compare) => holds(start.keys, compare))
  let current = step
  const answers: KvAnswer[] = []
  for (const op of succeeded ? success : failure) {
    current = perform(twin, start, current, op)
    if (!isAnswer(current.result)) return current
    answers.push(current.result)
  }
  const now = current.events.length > 0 ? nextAfter(revisionOf(twin)) : revisionOf(twin)
  return { ...current, result: { _tag: 'TxnDone', revision: now, succeeded, answers } }
}

const read = (twin: Twin, current: ReadonlyArray<KeyValue>, now: Revision, op: Extract<TxnOp, { _tag: 'Get' | 'Range' }>): KvResult => {
  const { compactRevision } = twin
  if (op.revision !== null && op.revision < compactRevision) return { _tag: 'Compacted', compactRevision }
  if (op.revision !== null && op.revision > revisionOf(twin)) return { _tag: 'FutureRevision', revision: revisionOf(twin) }
  const keys = op.revision === null ? current : (twin.states[op.revision] ?? [])
  return op._tag === 'Get' ? { _tag: 'Got', revision: now, kv: keys.find(({ key }) => key === op.key) ?? null } : readRange(keys, now, op)
}

const readRange = (keys: ReadonlyArray<KeyValue>, now: Revision, { range, limit, keysOnly, count }: Range): KvResult => {
  const all = keys.filter(({ key }) => contains(range, key))
  const kvs = all.slice(0, limit ?? all.length).map((kv) => (keysOnly ? { ...kv, value: new Uint8Array(0) } : kv))
  return { _tag: 'Ranged', revision: now, kvs, more: kvs.length < all.length, count: count ? all.length : null }
}

const holds = (keys: ReadonlyArray<KeyValue>, compare: Compare): boolean => {
  const range: KeyRange = compare.range
  const inRange = keys.filter(({ key }) => contains(range, key))
  if (compare._tag === 'Value') {
    const operand = hex(compare.operand)
    return inRange.length > 0 && inRange.every(({ value }) => stands(hex(value), compare.relation, operand))
  }
  const field = { CreateRevision: 'createRevision', ModRevision: 'modRevision', Version: 'version' } as const
  const numbers: number[] = inRange.length === 0 ? [0] : inRange.map((kv) => kv[field[compare._tag]])
  return numbers.every((n) => stands(n, compare.relation, compare.operand))
}

/** Two digits a byte: texts compare as the bytes do. */
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const stands = <A extends string | number>(a: A, relation: Compare['relation'], b: A): boolean =>
  relation === '=' ? a === b : relation === '!=' ? a !== b : relation === '<' ? a < b : a > b
