import type { IncomingHttpHeaders } from 'node:http'
import { either } from 'fp-ts'
import { anonymous, type Caller } from '../../../src/kv/command.js'
import { serial, sessionId } from '../../../src/kv/ids.js'
import { key } from '../../../src/kv/key.js'
import { type BadText, naturalIn } from './path.js'

/** The caller, by the headers `idempotency-key`, or `rxraft-session`, `rxraft-serial` and `rxraft-first-unanswered`. */
export const callerOf = (headers: IncomingHttpHeaders): either.Either<BadText, Caller> => {
  const idempotencyKey = headers['idempotency-key']
  const session = headers['rxraft-session']
  if (session === undefined) {
    // Header values reach us as one unit per byte, which is what the store's names are made of.
    return either.right(typeof idempotencyKey === 'string' ? { _tag: 'Once', idempotencyKey: key(idempotencyKey) } : anonymous)
  }
  if (idempotencyKey !== undefined) return either.left('A request has an idempotency-key or an rxraft-session, not both.')
  const [id, its, first] = [
    naturalAt(headers, 'rxraft-session'),
    naturalAt(headers, 'rxraft-serial'),
    naturalAt(headers, 'rxraft-first-unanswered'),
  ]
  if (id === null || its === null || first === null)
    return either.left('rxraft-session, rxraft-serial and rxraft-first-unanswered go together, each a whole number.')
  return either.right({ _tag: 'Session', session: sessionId(id), serial: serial(its), firstUnanswered: serial(first) })
}

const naturalAt = (headers: IncomingHttpHeaders, name: string): number | null => {
  const text = headers[name]
  return typeof text === 'string' ? naturalIn(text) : null
}
