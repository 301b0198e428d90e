import { catchError, from, interval, map, merge, type Observable, of, Subscription, take, timer } from 'rxjs'
import { either } from 'fp-ts'
import type { KvCommand } from '../../../src/kv/command.js'
import type { Delivery } from '../transport.js'
import { Call } from './call.js'
import { Fifo } from './fifo.js'
import type { ClientOptions, ClientTuning } from './options.js'
import { closed, indeterminate, type Outcome, overloaded } from './outcome.js'
import { Route } from './route.js'
import { Session } from './session.js'
import { judge, type Verdict } from './verdict.js'

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

  const send = (calls: ReadonlyArray<Call>): void => {
    const to = route.target
    const batch: Call[] = []
    const requests: Uint8Array[] = []
    for (const call of calls) {
      const request = call.encode()
      if (either.isLeft(request)) end(call, request.left)
      else {
        call.away = true
        batch.push(call)
        requests.push(request.right)
      }
    }
    if (batch.length === 0) return
    batches++
    const late = `${to} did not answer within ${attemptTimeoutMs} ms`
    const delivery$ = merge(
      from(transport.send(to, requests)).pipe(catchError((error: unknown) => of(lost(String(error))))),
      timer(attemptTimeoutMs, scheduler).pipe(map(() => lost(late))),
    ).pipe(take(1))
    running.add(
      delivery$.subscribe((delivery) => {
        batches--
        for (const call of batch) call.away = false
        onDelivery(to, batch, delivery)
        schedule()
      }),
    )
  }

  const onDelivery = (to: string, batch: ReadonlyArray<Call>, delivery: Delivery): void => {
    const { verdicts, standing } = judge(batch.length, delivery)
    batch.forEach((call, i) => conclude(call, verdicts[i]!))
    if ('why' in standing) lastFailure = standing.why
    if (standing._tag === 'WantsLess') batchLimit = Math.max(1, batch.length >> 1)
    else pause(route.report(to, standing))
  }

  const conclude = (call: Call, verdict: Verdict): void => {
    switch (verdict._tag) {
      case 'Ended':
        return end(call, verdict.outcome)
      case 'Again':
        return retry(call)
      case 'InDoubt':
        call.doubtful = true
        return call.isRepeatable() ? retry(call) : end(call, indeterminate(verdict.why))
      case 'SessionEnded':
        if (call.ticket?.session === session) session = null
        if (call.doubtful) return end(call, indeterminate('the session under which it may have been applied has ended'))
        call.ticket = null
        return retry(call)
    }
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
