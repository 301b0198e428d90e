import { EMPTY, from, Observable, type ObservableInput, type OperatorFunction, type Subscription } from 'rxjs'
import type { DiscardSnapshots, Persist, Send } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { WriteSeq } from '../../src/raft/ids.js'
import type { OpenStorage } from '../storage/storage.js'

/**
 * The acknowledgement of writes, for the core.
 *
 * @example
 * const written$ = server.inspect$.pipe(map(({ event }) => event), ofTag('Persisted'))
 * written$.subscribe(({ seq }: Persisted) => console.log(`the disk holds every write up to ${seq}`))
 */
export type Persisted = Extract<RaftEvent, { readonly _tag: 'Persisted' }>

/**
 * The disk of `groupCommit`, and how much may wait for it.
 *
 * @example
 * const options = (disk: OpenStorage): GroupCommitOptions => ({ write: disk.write, maxWaitingSends: 4_096 })
 */
export interface GroupCommitOptions {
  /** Writes to the disk, and answers once it is there. */
  readonly write: OpenStorage['write']
  /**
   * Messages that wait for the disk, and snapshots to be given up after it; one more message takes the place of the
   * oldest, which is lost as on a network.
   */
  readonly maxWaitingSends: number
}

/** What may say `after`. */
type Waiting = Send | DiscardSnapshots

const waitingForNothing = (effect: Waiting): Waiting =>
  effect._tag === 'Send' ? { _tag: 'Send', message: effect.message, after: null } : { ...effect, after: null }

/** A message may be lost, a snapshot to be given up may not: there are no more of those than there were snapshots. */
const loseOldest = (waiting: Waiting[]): void => {
  const oldest = waiting.findIndex(({ _tag }) => _tag === 'Send')
  if (oldest >= 0) waiting.splice(oldest, 1)
}

/**
 * Figure 2: "Persistent state on all servers (updated on stable storage before responding to RPCs)".
 * Writes that come while one is in flight become one write (group commit, thesis §10.2.1); messages
 * that wait for a write are released when it is done, in order.
 *
 *   writes    a--bcd------------     each with a message that waits for it
 *   disk      ^-----!
 *             ------^-----!          one fsync for b, c and d
 *   released  ------a-----(bcd)-
 *
 * An error of the disk is final: it ends the stream, and what waited is never released.
 *
 * @example
 * const durably = (effect$: Observable<Persist | Send | DiscardSnapshots>, disk: OpenStorage) =>
 *   effect$.pipe(groupCommit({ write: (batch) => disk.write(batch), maxWaitingSends: 4_096 }))
 */
export const groupCommit =
  ({ write, maxWaitingSends }: GroupCommitOptions): OperatorFunction<Persist | Waiting, Persisted | Waiting> =>
  (effect$) =>
    new Observable<Persisted | Waiting>((subscriber) => {
      let gathered: Persist[] = []
      let writing = false
      let upstreamDone = false
      let waiting: Waiting[] = []
      let done = 0
      let underWay: Subscription | undefined

      const release = (seq: WriteSeq): void => {
        done = seq
        let released = 0
        while (released < waiting.length && (waiting[released]!.after ?? 0) <= seq) released++
        const free = waiting
        waiting = waiting.slice(released)
        for (let i = 0; i < released; i++) subscriber.next(waitingForNothing(free[i]!))
        subscriber.next({ _tag: 'Persisted', seq })
      }

      // A loop, not a recursion: a storage that answers at once would nest as deep as there are writes.
      // What a release leads to is gathered, and written when all of it is known.
      const writeGathered = (): void => {
        while (gathered.length > 0 && !writing && !subscriber.closed) {
          const batch = gathered
          const last = batch[batch.length - 1]!.seq
          gathered = []
          writing = true
          let returned = false
          const written = (): void => {
            release(last)
            writing = false
            if (returned) writeGathered()
          }
          let written$: ObservableInput<unknown>
          try {
            written$ = write(batch)
          } catch (error) {
            return subscriber.error(error)
          }
          // Of a storage in memory most say so: nothing to subscribe to.
          if (written$ === EMPTY) written()
          else {
            underWay = from(written$).subscribe({ error: (error: unknown) => subscriber.error(error), complete: written })
            if (subscriber.closed) underWay.unsubscribe()
          }
          returned = true
        }
        if (upstreamDone && !writing && gathered.length === 0) subscriber.complete()
      }

      subscriber.add(() => underWay?.unsubscribe())
      subscriber.add(
        effect$.subscribe({
          next: (effect) => {
            if (effect._tag === 'Persist') {
              gathered.push(effect)
              if (!writing) writeGathered()
            } else if (effect.after === null || effect.after <= done) subscriber.next(waitingForNothing(effect))
            else {
              if (effect._tag === 'Send' && waiting.length >= maxWaitingSends) loseOldest(waiting)
              waiting.push(effect)
            }
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            upstreamDone = true
            writeGathered()
          },
        }),
      )
    })
