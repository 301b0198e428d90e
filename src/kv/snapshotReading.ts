import type { Reader } from './bytes.js'
import { type Revision, revision, serial, sessionId } from './ids.js'
import { keyValueCodec } from './keyCodec.js'
import { type KeyValue, sizeOf } from './keyValue.js'
import type { KvLimits } from './limits.js'
import { sizeOfResult } from './result.js'
import { resultCodec } from './resultCodec.js'
import type { RememberedAnswer } from './sessions.js'
import { addRevision, change, type Draft, emptyDraft } from './store.js'
import { deleteOf, putOf } from './write.js'

const recordsPerSlice = 1024

/** Reads what `snapshotBody` wrote, as a draft; the reader keeps the faults. */
export function* readBody(reader: Reader, limits: KvLimits): Generator<void, Draft> {
  const appliedIndex = reader.number()
  const last = revision(reader.number())
  const first = revision(reader.number())
  if (first < 1 || first > last) reader.fail('its revisions do not fit together')

  let records = 0
  const draft = emptyDraft(limits, appliedIndex, first)
  for (let rest = reader.number(), former = ''; rest > 0 && reader.sound; rest--) {
    const kv = keyValueCodec.read(reader)
    if (kv.key <= former || !isVersionBefore(first, kv)) reader.fail('a key does not fit to those before it')
    draft.keys.set(kv.key, kv, undefined)
    draft.liveBytes += sizeOf(kv)
    former = kv.key
    if (++records % recordsPerSlice === 0) yield
  }

  while (draft.revision < last && reader.sound) {
    for (let rest = reader.number(); rest > 0 && reader.sound; rest--) {
      const key = reader.key()
      const former = draft.keys.get(key)
      if (reader.flag()) change(draft, putOf(draft, key, reader.bytes()))
      else if (former !== undefined) change(draft, deleteOf(draft, former))
      else reader.fail('a key is deleted that is not there')
      if (++records % recordsPerSlice === 0) yield
    }
    addRevision(draft)
  }
  yield* readClients(reader, draft)
  return draft
}

const isVersionBefore = (first: Revision, { createRevision, modRevision, version: v }: KeyValue): boolean =>
  createRevision >= 1 && createRevision <= modRevision && modRevision < first && v >= 1

function* readClients(reader: Reader, { appliedIndex, clients }: Draft): Generator<void, void> {
  const { sessions, idempotencyKeys } = clients
  const readAnswer = (): RememberedAnswer => ({ hash: reader.word(), result: resultCodec.read(reader) })
  const checkUse = (usedAt: number, former: number) => {
    if (usedAt <= former || usedAt > appliedIndex) reader.fail('a last use does not fit to those before it')
  }
  for (let rest = reader.number(), former = 0; rest > 0 && reader.sound; rest--) {
    const session = sessionId(reader.number())
    const usedAt = reader.number()
    const firstUnanswered = serial(reader.number())
    checkUse(usedAt, former)
    if (sessions.get(session) !== undefined) reader.fail('a session is there twice')
    former = usedAt

    let size = 0
    for (let left = reader.number(), below = firstUnanswered - 1; left > 0 && reader.sound; left--) {
      const at = serial(reader.number())
      if (at <= below) reader.fail('a serial does not fit to those before it')
      const answer = readAnswer()
      clients.answers.set({ session, serial: at }, answer, undefined)
      size += sizeOfResult(answer.result)
      below = at
    }
    sessions.set(session, { usedAt, bytes: size, value: firstUnanswered })
    yield
  }
  for (let rest = reader.number(), former = 0; rest > 0 && reader.sound; rest--) {
    const name = reader.key()
    const usedAt = reader.number()
    checkUse(usedAt, former)
    if (idempotencyKeys.get(name) !== undefined) reader.fail('an idempotency key is there twice')
    former = usedAt
    const value = readAnswer()
    idempotencyKeys.set(name, { usedAt, bytes: sizeOfResult(value.result), value })
    if (rest % recordsPerSlice === 0) yield
  }
}
