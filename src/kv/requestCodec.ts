import { either } from 'fp-ts'
import { type BadBytes, Reader, Writer } from './bytes.js'
import type { KvRequest } from './command.js'
import { callerCodec, commandCodec } from './commandCodec.js'

/**
 * A request as the bytes of a log entry.
 *
 * @throws when a number is not whole or a key is no binary string
 *
 * @example
 * encodeRequest({ caller: anonymous, command: { _tag: 'Get', key: key('a'), revision: null } }) // 0 1 1 97 0
 */
export const encodeRequest = ({ caller, command }: KvRequest): Uint8Array => {
  const writer = new Writer()
  callerCodec.write(writer, caller)
  commandCodec.write(writer, command)
  return writer.take()
}

/**
 * The request that these bytes are: total, so that any bytes give a request or say what is wrong with them.
 *
 * @example
 * const bytes = encodeRequest({ caller: anonymous, command: { _tag: 'Register' } })
 * decodeRequest(bytes) // either.right({ caller: { _tag: 'Anonymous' }, command: { _tag: 'Register' } })
 * decodeRequest(Uint8Array.of()) // either.left({ _tag: 'BadBytes', at: 0, reason: 'the bytes end too early' })
 */
export const decodeRequest = (bytes: Uint8Array): either.Either<BadBytes, KvRequest> =>
  either.map(({ caller, command }: KvRequest): KvRequest => ({ caller, command }))(openRequest(bytes))

/** Also gives the bytes of the command alone, by which a retry is told from another command. */
export const openRequest = (bytes: Uint8Array): either.Either<BadBytes, KvRequest & { readonly commandBytes: Uint8Array }> => {
  const reader = new Reader(bytes)
  const caller = callerCodec.read(reader)
  const commandBytes = bytes.subarray(reader.offset)
  const command = commandCodec.read(reader)
  if (caller._tag === 'Session' && command._tag === 'Register') reader.fail('a session cannot register another')
  return reader.done({ caller, command, commandBytes })
}
