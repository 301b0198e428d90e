import { either } from 'fp-ts'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { map, Observable, takeUntil } from 'rxjs'
import { type Client, ClientError } from '../../streams/kv/index.js'
import { type Line, linesOf, UnfitLine } from '../client/lineReader.js'
import { type Progress, progressLine, progressText } from '../client/progress.js'
import { endpointsOf, outcomeOf, withClient } from '../client/withClient.js'
import { wholeOption } from '../client/values.js'
import type { Call, Command } from '../command.js'
import { type Details, done, type Outcome, refused, unknown } from '../outcome.js'
import { count } from '../view/format.js'

/** A put may wait out several elections. */
const defaultTimeoutMs = 60_000
/** The store's default; a line beyond it is not worth sending. */
const maxKeyBytes = 4_096

/** `rxraft load FILE`: one key per line. */
export const load: Command = async (call) => {
  const {
    args: [file = ''],
    settings,
    io,
  } = call
  const inFlight = wholeOption(call, 'in-flight', 1_024)
  if (either.isLeft(inFlight)) return inFlight.left
  const totalBytes =
    file === '-'
      ? null
      : await stat(file).then(
          ({ size }) => size,
          () => null,
        )
  const chunks = (file === '-' ? io.stdin : createReadStream(file)) as AsyncIterable<Uint8Array>
  return withClient({ timeoutMs: defaultTimeoutMs, ...settings }, (client) => loadAll(client, chunks, totalBytes, call))
}
