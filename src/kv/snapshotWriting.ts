import { Writer } from './bytes.js'
import { changesAt } from './history.js'
import { nextRevision, revision, serial } from './ids.js'
import { everything } from './key.js'
import { keyValueCodec } from './keyCodec.js'
import { stateAt } from './past.js'
import { resultCodec } from './resultCodec.js'
import type { Clients, RememberedAnswer } from './sessions.js'
import type { Store } from './store.js'

const pieceBytes = 64 * 1024

/**
 * A store without header and checksum, in pieces. What it reads later it takes hold of first: a store that is not the
 * newest is slower to read.
 */
export function* snapshotBody(store: Store): Generator<Uint8Array, void> {
  const { appliedIndex, compactRevision, history } = store
  const base = stateAt(store, revision(compactRevision - 1), everything)
  const clients = clientsInOrder(store.clients)

  const writer = new Writer()
  writer.number(appliedIndex)
  writer.number(store.revision)
  writer.number(compactRevision)
  writer.number(base.size)
  for (const [, kv] of base.entries()) {
    keyValueCodec.write(writer, kv)
    if (writer.length >= pieceBytes) yield writer.take()
  }
  for (let r = compactRevision; r <= store.revision; r = nextRevision(r)) {
    const changes = changesAt(history, r)
    writer.number(changes.length)
    for (const { key, kv } of changes) {
      writer.key(key)
      writer.flag(kv !== null)
      if (kv !== null) writer.bytes(kv.value)
      if (writer.length >= pieceBytes) yield writer.take()
    }
  }
  yield* writeClients(writer, clients)
  yield writer.take()
}

const clientsInOrder = ({ sessions, answers, idempotencyKeys }: Clients) => ({
  sessions: sessions.inOrderOfUse(),
  answers: answers.copy(),
  idempotencyKeys: idempotencyKeys.inOrderOfUse(),
})

function* writeClients(writer: Writer, clients: ReturnType<typeof clientsInOrder>): Generator<Uint8Array, void> {
  const { sessions, answers, idempotencyKeys } = clients
  const writeAnswer = ({ hash, result }: RememberedAnswer): void => {
    writer.word(hash)
    resultCodec.write(writer, result)
  }
  writer.number(sessions.size)
  for (const [session, { usedAt, value: firstUnanswered }] of sessions.entries) {
    writer.number(session)
    writer.number(usedAt)
    writer.number(firstUnanswered)
    const low = { session, serial: firstUnanswered }
    writer.number(answers.forRange(low, { session, serial: serial(Infinity) }, false))
    for (const [call, answer] of answers.entries(low)) {
      if (call.session !== session) break
      writer.number(call.serial)
      writeAnswer(answer)
      if (writer.length >= pieceBytes) yield writer.take()
    }
  }
  writer.number(idempotencyKeys.size)
  for (const [name, { usedAt, value }] of idempotencyKeys.entries) {
    writer.key(name)
    writer.number(usedAt)
    writeAnswer(value)
    if (writer.length >= pieceBytes) yield writer.take()
  }
}
