import { catchError, from, interval, map, merge, type Observable, of, Subscription, take, timer } from 'rxjs'
import type { KvCommand } from '../../../src/kv/command.js'
import { encodeRequest } from '../../../src/kv/requestCodec.js'
import { isAnswer, type KvResult, refusalMessage } from '../../../src/kv/result.js'
import { isFailure, type KvFailure, type KvReply, replyMessage } from '../reply.js'
import type { Delivery } from '../transport.js'
import { Call } from './call.js'
import { Fifo } from './fifo.js'
import type { ClientOptions, ClientTuning } from './options.js'
import { closed, indeterminate, type Outcome, overloaded } from './outcome.js'
import { Route } from './route.js'
import { Session } from './session.js'

/** How exactly deadlines are kept: one timer looks at all operations this often. */
const sweepMs = 50

export interface Calls {
  /** Now and once; the outcome is replayed. The command must be one that `encodeRequest` takes. */
  execute(command: KvCommand, timeoutMs: number): Observable<Outcome>
  readonly target$: Observable<string>
  /** Attempts after the first, of all operations so far. */
  retries(): number
  close(): void
}

/**
 * The operations of a client on their way: gathered for a turn, sent to the leader as a batch, tried again elsewhere when they were
 * not taken or their answer was lost, until they are answered or their time is up.
 *
 *   execute   abc--------------
 *   n1        (abc)-x             lost: it may have been done
 *   n2        -------(abc)---     the same serials: done once
 *   outcomes  -----------(abc)
 */
export const calls = (options: ClientOptions & ClientTuning): Calls => {
  const { transport, scheduler, attemptTimeoutMs, maxInFlight, maxQueued, maxBatch, maxBatchBytes, maxBatchesInFlight } = options
  const route = new Route(options.endpoints, options)
  const running = new Subscription()
  /** All that have no outcome. */
  const open = new Set<Call>()
  /** To be tried again, before what waits for its first attempt. */
  const again = new Fifo<Call>()
  const waiting = new Fifo<Call>()
  let session: Session | null = null
  let registration: Call | null = null
  let inFlight = 0
  let batches = 0
  let batchLimit = maxBatch
  let retries = 0
  let isPaused = false
  let lastFailure: string | null = null
  let turn: Subscription | undefined
  let sweeping: Subscription | undefined

  const begin = (command: KvCommand, timeoutMs: number): Call => {
    const call = new Call(command, timeoutMs, scheduler.now() + timeoutMs)
    open.add(call)
    sweeping ??= interval(sweepMs, scheduler).subscribe(sweep)
    return call
  }

  const end = (call: Call, outcome: Outcome): void => {
    if (call.ended) return
    open.delete(call)
    if (call.attempts > 0) inFlight--
    if (call === registration) registration = null
    call.end(outcome)
    schedule()
  }

  const sweep = (): void => {
    const now = scheduler.now()
    for (const call of open) if (call.deadline <= now) end(call, call.outcomeAt('deadline', lastFailure))
    if (open.size > 0) return
    sweeping?.unsubscribe()
    sweeping = undefined
  }

  const schedule = (): void => {
    if (!running.closed && !isPaused) turn ??= scheduler.schedule(pump)
  }

  const pause = (forMs: number): void => {
    if (forMs === 0 || isPaused) return
    isPaused = true
    running.add(
      timer(forMs, scheduler).subscribe(() => {
        isPaused = false
        schedule()
      }),
    )
  }

  const pump = (): void => {
    turn = undefined
    while (!isPaused && batches < maxBatchesInFlight) {
      const batch = nextBatch()
      if (registration !== null && !registration.away) send([registration])
      else if (batch.length === 0) return
      if (batch.length > 0) send(batch)
    }
  }

  const nextBatch = (): ReadonlyArray<Call> => {
    const batch: Call[] = []
    let bytes = 0
    while (batch.length < batchLimit) {
      const queue = again.length > 0 ? again : waiting
      const call = queue.first()
      if (call === undefined) break
      if (!call.ended) {
        if (call.attempts === 0 && inFlight >= maxInFlight) break
        bytes += call.bytes
        if (batch.length > 0 && bytes > maxBatchBytes) break
        if (!isAdmitted(call)) break
        if (call.attempts++ === 0) inFlight++
        else retries++
        batch.push(call)
      }
      queue.shift()
    }
    return batch
  }

  /** Whether it needs no session or has a place in one. */
  const isAdmitted = (call: Call): boolean => {
    if (!options.session || call.reads || call.ticket !== null) return true
    if (session === null) registration ??= register()
    else call.ticket = session.take()
    return call.ticket !== null
  }

  const register = (): Call => {
    const call = begin({ _tag: 'Register' }, options.timeoutMs)
    inFlight++
    call.attempts++
    call.outcome$.subscribe((outcome) => {
      if (outcome._tag === 'Done' && outcome.answer._tag === 'Registered') session = new Session(outcome.answer.session)
    })
    return call
  }

  const send = (batch: ReadonlyArray<Call>): void => {
    const to = route.target
    for (const call of batch) call.away = true
    batches++
    const late = `${to} did not answer within ${attemptTimeoutMs} ms`
    running.add(
      merge(
        from(
          transport.send(
            to,
            batch.map((call) => encodeRequest(call.request())),
          ),
        ).pipe(catchError((error: unknown) => of(lost(String(error))))),
        timer(attemptTimeoutMs, scheduler).pipe(map(() => lost(late))),
      )
        .pipe(take(1))
        .subscribe((delivery) => {
          batches--
          for (const call of batch) call.away = false
          pause(onDelivery(to, batch, delivery))
          schedule()
        }),
    )
  }

  /** Gives how long to wait before anything is tried again, in milliseconds. */
  const onDelivery = (to: string, batch: ReadonlyArray<Call>, delivery: Delivery): number => {
    if (delivery._tag === 'Answered') {
      if (delivery.replies.length === batch.length) return onReplies(to, batch, delivery.replies)
      return onDelivery(to, batch, lost(`${to} answered ${delivery.replies.length} of ${batch.length} requests`))
    }
    if (delivery._tag === 'TooLarge') return onTooLarge(batch, delivery.message)
    lastFailure = delivery._tag === 'Misdirected' ? replyMessage({ ...delivery, _tag: 'NotLeader' }) : delivery.message
    for (const call of batch) {
      if (delivery._tag === 'Lost') doubt(call, delivery.message)
      else retry(call)
    }
    if (delivery._tag === 'Busy') return route.busy()
    return delivery._tag === 'Misdirected' ? route.misdirected(to, delivery.leader) : route.failed(to)
  }

  /** Smaller batches from now on; what is too large alone will be so at every try. */
  const onTooLarge = (batch: ReadonlyArray<Call>, message: string): number => {
    batchLimit = Math.max(1, batch.length >> 1)
    if (batch.length > 1) batch.forEach(retry)
    else end(batch[0]!, { _tag: 'Refused', refusal: { _tag: 'Malformed', reason: message }, message })
    return 0
  }

  const onReplies = (to: string, batch: ReadonlyArray<Call>, replies: ReadonlyArray<KvReply>): number => {
    let failure: KvFailure | null = null
    batch.forEach((call, i) => {
      const reply = replies[i]!
      if (!isFailure(reply)) return onResult(call, reply)
      failure ??= reply
      if (reply._tag === 'Indeterminate') doubt(call, 'the server stopped leading before it knew')
      else retry(call)
    })
    return onFailure(to, failure)
  }

  const onFailure = (to: string, failure: KvFailure | null): number => {
    if (failure === null) {
      route.answered()
      return 0
    }
    lastFailure = replyMessage(failure)
    if (failure._tag === 'Overloaded') return route.busy()
    return route.misdirected(to, failure._tag === 'NotLeader' ? failure.leader : null)
  }

  const onResult = (call: Call, result: KvResult): void => {
    if (call.ended) return
    if (isAnswer(result)) return end(call, { _tag: 'Done', answer: result })
    if (result._tag === 'TooManyUnanswered') return retry(call)
    if (result._tag !== 'UnknownSession') return end(call, { _tag: 'Refused', refusal: result, message: refusalMessage(result) })
    if (call.ticket?.session === session) session = null
    if (call.doubtful) return end(call, indeterminate('the session under which it may have been applied has ended'))
    call.ticket = null
    retry(call)
  }

  const doubt = (call: Call, why: string): void => {
    call.doubtful = true
    if (call.isRepeatable()) retry(call)
    else end(call, indeterminate(why))
  }

  const retry = (call: Call): void => {
    if (!call.ended && call !== registration) again.push(call)
  }

  return {
    execute: (command, timeoutMs) => {
      if (running.closed) return of(closed)
      if (waiting.length >= maxQueued) return of(overloaded(maxQueued))
      const call = begin(command, timeoutMs)
      waiting.push(call)
      schedule()
      return call.outcome$
    },
    target$: route.target$,
    retries: () => retries,
    close: () => {
      running.unsubscribe()
      turn?.unsubscribe()
      sweeping?.unsubscribe()
      for (const call of open) call.end(call.outcomeAt('close', null))
      open.clear()
    },
  }
}

const lost = (message: string): Delivery => ({ _tag: 'Lost', message })
