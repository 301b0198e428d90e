import { catchError, from, interval, map, merge, type Observable, of, Subscription, take, timer } from 'rxjs'
import { either } from 'fp-ts'
import type { KvCommand } from '../../../src/kv/command.js'
import type { Delivery } from '../transport.js'
import { Operation } from './operation.js'
import type { ClientOptions, ClientTuning } from './options.js'
import { closed, indeterminate, type Outcome, overloaded } from './outcome.js'
import { Queue } from './queue.js'
import { ServerChoice } from './serverChoice.js'
import { Session } from './session.js'
import { judge, type Verdict } from './verdict.js'

/** A single timer looks at all operations this often: deadlines are kept no more exactly. */
const sweepMs = 50

/**
 * The operations of a client: gathered for a turn, sent to the leader as a batch, and tried again elsewhere when they
 * were not taken or their answer was lost, until they are answered or their time is up.
 *
 *   execute   abc--------------
 *   n1        (abc)-x             lost: it may have been done
 *   n2        -------(abc)---     the same serials: done once
 *   outcomes  -----------(abc)
 */
export class Operations {
  private readonly choice: ServerChoice
  private readonly queue: Queue
  private readonly living = new Subscription()
  /** Operations without an outcome. */
  private readonly open = new Set<Operation>()
  private session: Session | null = null
  private registration: Operation | null = null
  private inFlight = 0
  private batches = 0
  private retryCount = 0
  private isPaused = false
  private lastFailure: string | null = null
  private turn: Subscription | undefined
  private sweeping: Subscription | undefined

  constructor(private readonly options: ClientOptions & ClientTuning) {
    this.choice = new ServerChoice(options.endpoints, options)
    this.queue = new Queue(options)
  }

  get target$(): Observable<string> {
    return this.choice.target$
  }

  /** Attempts after the first, of all operations so far. */
  get retries(): number {
    return this.retryCount
  }

  /** Carries a command out, at the call and once; the outcome is replayed. */
  execute(command: KvCommand, timeoutMs: number): Observable<Outcome> {
    const { maxQueued } = this.options
    if (this.living.closed) return of(closed)
    if (this.queue.length >= maxQueued) return of(overloaded(maxQueued))
    const operation = this.begin(command, timeoutMs)
    this.queue.push(operation)
    this.schedule()
    return operation.outcome$
  }

  close(): void {
    this.living.unsubscribe()
    this.turn?.unsubscribe()
    this.sweeping?.unsubscribe()
    for (const operation of this.open) operation.end(operation.outcomeAt('close', null))
    this.open.clear()
  }

  private begin(command: KvCommand, timeoutMs: number): Operation {
    const { scheduler } = this.options
    const operation = new Operation(command, timeoutMs, scheduler.now() + timeoutMs)
    this.open.add(operation)
    this.sweeping ??= interval(sweepMs, scheduler).subscribe(() => this.sweep())
    return operation
  }

  private end(operation: Operation, outcome: Outcome): void {
    if (operation.hasEnded) return
    this.open.delete(operation)
    if (operation.attempts > 0) this.inFlight--
    if (operation === this.registration) this.registration = null
    operation.end(outcome)
    this.schedule()
  }

  private sweep(): void {
    const now = this.options.scheduler.now()
    for (const operation of this.open) {
      if (operation.deadline <= now) this.end(operation, operation.outcomeAt('deadline', this.lastFailure))
    }
    if (this.open.size > 0) return
    this.sweeping?.unsubscribe()
    this.sweeping = undefined
  }

  private schedule(): void {
    if (!this.living.closed && !this.isPaused) this.turn ??= this.options.scheduler.schedule(() => this.sendAll())
  }

  private pause(forMs: number): void {
    if (forMs === 0 || this.isPaused) return
    this.isPaused = true
    this.living.add(
      timer(forMs, this.options.scheduler).subscribe(() => {
        this.isPaused = false
        this.schedule()
      }),
    )
  }

  private sendAll(): void {
    this.turn = undefined
    while (!this.isPaused && this.batches < this.options.maxBatchesInFlight) {
      const batch = this.queue.take((operation) => this.admit(operation))
      const { registration } = this
      if (registration !== null && !registration.isAway) this.send([registration])
      else if (batch.length === 0) return
      if (batch.length > 0) this.send(batch)
    }
  }

  /** Counts an attempt at an operation, if it may be sent now. */
  private admit(operation: Operation): boolean {
    const isFirst = operation.attempts === 0
    if ((isFirst && this.inFlight >= this.options.maxInFlight) || !this.hasPlace(operation)) return false
    operation.attempts++
    if (isFirst) this.inFlight++
    else this.retryCount++
    return true
  }

  /** Tells whether it needs no session, or has a place in one. */
  private hasPlace(operation: Operation): boolean {
    if (!this.options.session || operation.reads || operation.ticket !== null) return true
    if (this.session === null) this.registration ??= this.register()
    else operation.ticket = this.session.take()
    return operation.ticket !== null
  }

  private register(): Operation {
    const operation = this.begin({ _tag: 'Register' }, this.options.timeoutMs)
    this.inFlight++
    operation.attempts++
    operation.outcome$.subscribe((outcome) => {
      if (outcome._tag === 'Done' && outcome.answer._tag === 'Registered') this.session = new Session(outcome.answer.session)
    })
    return operation
  }

  private send(operations: ReadonlyArray<Operation>): void {
    const { transport, scheduler, attemptTimeoutMs } = this.options
    const to = this.choice.target
    const batch: Operation[] = []
    const requests: Uint8Array[] = []
    for (const operation of operations) {
      const request = operation.encode()
      if (either.isLeft(request)) this.end(operation, request.left)
      else {
        operation.isAway = true
        batch.push(operation)
        requests.push(request.right)
      }
    }
    if (batch.length === 0) return
    this.batches++
    const late = `${to} did not answer within ${attemptTimeoutMs} ms`
    const delivery$ = merge(
      from(transport.send(to, requests)).pipe(catchError((error: unknown) => of(lost(String(error))))),
      timer(attemptTimeoutMs, scheduler).pipe(map(() => lost(late))),
    ).pipe(take(1))
    this.living.add(delivery$.subscribe((delivery) => this.onDelivery(to, batch, delivery)))
  }

  private onDelivery(to: string, batch: ReadonlyArray<Operation>, delivery: Delivery): void {
    this.batches--
    for (const operation of batch) operation.isAway = false
    const { verdicts, standing } = judge(batch.length, delivery)
    batch.forEach((operation, i) => this.conclude(operation, verdicts[i]!))
    if ('why' in standing) this.lastFailure = standing.why
    if (standing._tag === 'TakesLess') this.queue.halve(batch.length)
    else this.pause(this.choice.report(to, standing))
    this.schedule()
  }

  private conclude(operation: Operation, verdict: Verdict): void {
    switch (verdict._tag) {
      case 'Ended':
        return this.end(operation, verdict.outcome)
      case 'Again':
        return this.retry(operation)
      case 'InDoubt':
        operation.isInDoubt = true
        return operation.isRepeatable() ? this.retry(operation) : this.end(operation, indeterminate(verdict.why))
      case 'SessionEnded':
        if (operation.ticket?.session === this.session) this.session = null
        if (operation.isInDoubt) return this.end(operation, indeterminate('the session under which it may have been applied has ended'))
        operation.ticket = null
        return this.retry(operation)
    }
  }

  private retry(operation: Operation): void {
    if (!operation.hasEnded && operation !== this.registration) this.queue.pushAgain(operation)
  }
}

const lost = (message: string): Delivery => ({ _tag: 'Lost', message })
