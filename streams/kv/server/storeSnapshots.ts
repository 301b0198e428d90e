import { either } from 'fp-ts'
import { map, mergeMap, type Observable, of, type SchedulerLike, throwError } from 'rxjs'
import type { KvLimits } from '../../../src/kv/limits.js'
import { snapshotErrorMessage, snapshotPieces, snapshotReading } from '../../../src/kv/snapshot.js'
import type { Store } from '../../../src/kv/store.js'
import { logIndex } from '../../../src/raft/ids.js'
import type { Snapshot, StateMachineError } from '../../sinks/stateMachine.js'
import { inSlices } from './inSlices.js'

/** Pieces of 64 KiB that are put together without letting others have a turn. */
const piecesPerSlice = 16

/** A store as the snapshot of its last command, made a piece a turn. It is a value: what is applied meanwhile changes nothing in it. */
export const snapshotOf = (store: Store, scheduler: SchedulerLike): Observable<Snapshot> =>
  inSlices(scheduler, () => encoding(store)).pipe(map((data) => ({ index: logIndex(store.appliedIndex), data })))

function* encoding(store: Store): Generator<void, Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for (const piece of snapshotPieces(store)) {
    pieces.push(piece)
    length += piece.length
    yield
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const [i, piece] of pieces.entries()) {
    whole.set(piece, at)
    at += piece.length
    if ((i + 1) % piecesPerSlice === 0) yield
  }
  return whole
}

/** The store that a snapshot holds, read some thousand records a turn. Fails with a `StateMachineError` that says what is wrong with it. */
export const storeOf = ({ index, data }: Snapshot, limits: Partial<KvLimits>, scheduler: SchedulerLike): Observable<Store> =>
  inSlices(scheduler, () => snapshotReading(data, limits)).pipe(
    mergeMap((decoded) => {
      if (either.isLeft(decoded)) return failed(snapshotErrorMessage(decoded.left), decoded.left)
      // No-ops come between commands: the last one that changed the store may be older, never newer.
      const { appliedIndex } = decoded.right
      return appliedIndex > index
        ? failed(`The snapshot of index ${index} holds the store after index ${appliedIndex}: take it from another server.`)
        : of(decoded.right)
    }),
  )

const failed = (message: string, cause?: unknown): Observable<never> =>
  throwError((): unknown => ({ _tag: 'StateMachineFailed', message, cause }) satisfies StateMachineError)
