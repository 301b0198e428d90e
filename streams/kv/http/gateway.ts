import { interval, type Observable, type SchedulerLike, Subscription } from 'rxjs'
import { isRead, type KvRequest } from '../../../src/kv/command.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { KvServer } from '../server/kvServer.js'
import { isFailure, type KvReply } from '../reply.js'
import { type HttpAnswer, misdirected, noAnswer, noLeader, outcomeUnknown, overloaded } from './answer.js'
import { type Begun, type Origin, originOf } from './exchange.js'
import { passedBack } from './forward.js'

/** A request that only a leader can answer. */
export interface Errand {
  readonly request: KvRequest
  /** Another server passed it on to this one: it goes no further. */
  readonly isForwarded: boolean
  readonly render: (result: KvResult) => HttpAnswer
  /** Has the server there answer. */
  readonly forward: (to: Origin) => Observable<Begun>
}

export interface GatewayOptions {
  readonly server: KvServer
  readonly peers: Readonly<Record<string, string>>
  readonly scheduler: SchedulerLike
  readonly leaderWaitMs: number
  readonly answerTimeoutMs: number
  readonly maxRequests: number
}

interface Running extends Errand {
  readonly begunAt: number
  readonly reads: boolean
  /** May be asked again after an answer was lost: a read, or a write that is applied once however often it arrives. */
  readonly isRepeatable: boolean
  readonly answer: (answer: HttpAnswer) => void
  attempt: Subscription
  /** Who was asked last. */
  asked: string | null
  /** For a leader. */
  isWaiting: boolean
  /** An attempt may have arrived. */
  isDoubtful: boolean
}

/** One timer looks after all requests this often: it keeps their deadlines, and has those that wait try again. */
const sweepMs = 100

/**
 * Brings requests to the leader: here, or at the server that is known to lead, or they wait until one is known. What is known not to
 * have been done tries again until its time is up; what may have been done does so only where that is harmless.
 */
export const gateway = ({ server, peers, scheduler, leaderWaitMs, answerTimeoutMs, maxRequests }: GatewayOptions) => {
  const origins = new Map<string, Origin>()
  const running = new Set<Running>()
  const living = new Subscription()
  let leader: string | null = null
  let passedOn = 0

  const originAt = (id: string): Origin | undefined => {
    const url = peers[id]
    if (url !== undefined && !origins.has(url)) origins.set(url, originOf(url))
    return url === undefined ? undefined : origins.get(url)
  }

  const elsewhere = (known: string | null): HttpAnswer => misdirected(known, known === null ? undefined : peers[known])

  const end = (errand: Running, answer: HttpAnswer): void => {
    if (!running.delete(errand)) return
    errand.attempt.unsubscribe()
    errand.answer(answer)
  }

  const attempt = (errand: Running): void => {
    const origin = leader === null ? undefined : originAt(leader)
    errand.isWaiting = false
    errand.asked = leader
    if (leader === server.id) {
      errand.attempt = server.submit(errand.request).subscribe((reply) => onReply(errand, reply))
    } else if (errand.isForwarded) end(errand, elsewhere(leader))
    else if (origin === undefined) errand.isWaiting = true
    else {
      passedOn++
      errand.attempt = errand.forward(origin).subscribe((begun) => onBegun(errand, begun))
    }
  }

  const onReply = (errand: Running, reply: KvReply): void => {
    if (!isFailure(reply)) end(errand, errand.render(reply))
    else if (reply._tag === 'Overloaded' && !errand.isDoubtful) end(errand, overloaded(reply.limit))
    else if (reply._tag === 'Indeterminate') doubt(errand)
    else if (errand.isForwarded && reply._tag === 'NotLeader') end(errand, elsewhere(reply.leader))
    else errand.isWaiting = true
  }

  /** An answer is told by its status: what follows goes to the client as it comes. */
  const onBegun = (errand: Running, begun: Begun): void => {
    if (begun._tag === 'NeverSent') errand.isWaiting = true
    else if (begun._tag === 'Lost') doubt(errand)
    else if (begun.status !== 504 && begun.status !== 421) end(errand, passedBack(begun))
    else {
      begun.body.resume() // a sentence that nobody reads
      if (begun.status === 504) doubt(errand)
      else errand.isWaiting = true
    }
  }

  const doubt = (errand: Running): void => {
    errand.isDoubtful = !errand.reads
    // Who passed it on knows best whether to ask again, and must not take a later "not here" for "not done".
    if (errand.isRepeatable && !errand.isForwarded) errand.isWaiting = true
    else end(errand, outcomeUnknown())
  }

  /** Somebody else leads now: who was asked may be cut off, and never answer. What is harmless to ask twice is asked there. */
  const isOvertaken = (errand: Running): boolean => {
    if (leader === null || errand.asked === leader || !errand.isRepeatable || errand.isForwarded) return false
    errand.attempt.unsubscribe()
    errand.isDoubtful = !errand.reads
    return true
  }

  const sweep = (): void => {
    const now = scheduler.now()
    for (const errand of running) {
      const agedMs = now - errand.begunAt
      if (!errand.isWaiting) {
        if (agedMs >= answerTimeoutMs) end(errand, errand.reads ? noAnswer(answerTimeoutMs) : outcomeUnknown())
      } else if (agedMs >= leaderWaitMs) end(errand, errand.isDoubtful ? outcomeUnknown() : noLeader(leaderWaitMs))
      else attempt(errand)
    }
  }

  living.add(
    server.raft.leader$.subscribe((known) => {
      leader = known
      for (const errand of running) if (errand.isWaiting || isOvertaken(errand)) attempt(errand)
    }),
  )
  living.add(interval(sweepMs, scheduler).subscribe(sweep))

  return {
    /** Answers once; unsubscribing says that nobody wants the answer any more, which undoes nothing. */
    carryOut: (errand: Errand, answer: (answer: HttpAnswer) => void): Subscription => {
      if (running.size >= maxRequests) {
        answer(overloaded('maxRequests'))
        return Subscription.EMPTY
      }
      const { caller, command } = errand.request
      const reads = isRead(command)
      const isRepeatable = reads || caller._tag !== 'Anonymous'
      const begunAt = scheduler.now()
      const begun: Running = {
        ...errand,
        begunAt,
        reads,
        isRepeatable,
        answer,
        attempt: Subscription.EMPTY,
        asked: null,
        isWaiting: false,
        isDoubtful: false,
      }
      running.add(begun)
      attempt(begun)
      return new Subscription(() => {
        running.delete(begun)
        begun.attempt.unsubscribe()
      })
    },
    leader: () => leader,
    elsewhere: () => elsewhere(leader),
    counts: () => ({ running: running.size, passedOn }),
    stop: () => living.unsubscribe(),
  }
}

export type Gateway = ReturnType<typeof gateway>
