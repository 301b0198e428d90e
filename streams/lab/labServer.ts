import { type Observer, ReplaySubject, type SchedulerLike, Subject, takeUntil } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, type Term } from '../../src/raft/ids.js'
import type { checkedStep } from '../../src/raft/invariants.js'
import type { Server } from '../../src/raft/state/server.js'
import { raft } from '../loop/raft.js'
import type { Inspection } from '../loop/run.js'
import type { Sink } from '../loop/sink.js'
import type { Rejected } from '../network/network.js'
import { reasonOf, type StopReason } from '../server/stopReason.js'
import type { AppliedSink } from '../sinks/applied.js'
import type { ApplyMsg as Command } from '../sinks/stateMachine.js'
import type { Codec } from '../wire/codec.js'
import type { ApplyMsg } from './applyMsg.js'
import type { RequestResponse } from './requestResponse.js'
import type { Rf } from './rf.js'
import type { LabStore } from './store.js'

export interface LabServerParts<C> {
  readonly initial: Server
  readonly rpc: RequestResponse
  readonly store: LabStore
  readonly machine: AppliedSink<C, undefined>
  readonly sinks: ReadonlyArray<Sink>
  readonly scheduler: SchedulerLike
  readonly step: typeof checkedStep
  readonly codec: Codec<C>
  readonly applyCh: Partial<Observer<ApplyMsg<C>>>
}

/** One server of the lab. Its calls may be taken from it one by one. */
export class LabServer<C> implements Rf<C> {
  private readonly client$ = new Subject<RaftEvent>()
  private readonly appliedMsg$ = new Subject<ApplyMsg<C>>()
  private readonly rejectedWhat$ = new Subject<Rejected>()
  private readonly stoppedReason$ = new ReplaySubject<StopReason>(1)
  private readonly halt$ = new Subject<void>()
  readonly apply$ = this.appliedMsg$.asObservable()
  readonly rejected$ = this.rejectedWhat$.asObservable()
  readonly stopped$ = this.stoppedReason$.asObservable()
  private readonly rpc: RequestResponse
  private readonly codec: Codec<C>
  private server: Server
  private running = true
  /** The effects of the last proposal's own step; others follow it within the same call. */
  private proposed: ReadonlyArray<Effect> = []
  /** The term of the snapshot that was handed over last. */
  private restoredTerm: Term

  constructor({ initial, rpc, store, machine, sinks, scheduler, step, codec, applyCh }: LabServerParts<C>) {
    this.rpc = rpc
    this.codec = codec
    this.server = initial
    const { base } = initial.log
    this.restoredTerm = base.term
    this.appliedMsg$.subscribe(applyCh)
    machine.apply$.subscribe((msg) => this.appliedMsg$.next(commandMsg(msg)))
    machine.restore$.subscribe(({ index, data }) => {
      // The service has read the first one from the persister itself, before it called `make`.
      if (index > base.index) this.appliedMsg$.next(snapshotMsg(index, this.restoredTerm, data))
    })
    raft(initial, {
      scheduler,
      step,
      network: rpc.network,
      storage: { maxWaitingSends, write: store.write, snapshots: store.snapshots },
      maxEffectsPerTurn,
      rejected: (what) => this.rejectedWhat$.next(what),
      sinks: [...sinks, () => this.client$],
    })
      .pipe(takeUntil(this.halt$))
      .subscribe({ next: (inspection) => this.onStep(inspection), error: (error: unknown) => this.stop(reasonOf(error)) })
  }

  readonly start: Rf<C>['start'] = (command) => {
    const refused = { index: -1, term: this.server.currentTerm, isLeader: false }
    // A client that asks all servers until one accepts asks many who do not.
    if (!this.running || this.server.role._tag !== 'Leader') return refused
    this.proposed = []
    // The step is taken within the call, whatever is under way.
    this.client$.next({ _tag: 'Proposed', request: 0, commands: [this.codec.encode(command)] })
    for (const effect of this.proposed) {
      if (effect._tag === 'Appended') return { index: effect.firstIndex, term: effect.term, isLeader: true }
    }
    return refused
  }

  readonly getState: Rf<C>['getState'] = () => {
    return { term: this.server.currentTerm, isLeader: this.running && this.server.role._tag === 'Leader' }
  }

  readonly snapshot: Rf<C>['snapshot'] = (index, snapshot) => {
    this.client$.next({ _tag: 'SnapshotTaken', index: logIndex(index), data: snapshot })
  }

  readonly kill = (): void => {
    this.stop({ _tag: 'Killed' })
  }

  readonly killed = (): boolean => {
    return !this.running
  }

  readonly receive: Rf<C>['receive'] = (request) => {
    return this.rpc.receive(request)
  }

  private onStep({ event, after, effects }: Inspection): void {
    this.server = after
    for (const effect of effects) if (effect._tag === 'Restore') this.restoredTerm = effect.base.term
    if (event._tag === 'Proposed') this.proposed = effects
  }

  private stop(reason: StopReason): void {
    if (!this.running) return
    this.running = false
    this.halt$.next()
    for (const subject of [this.client$, this.appliedMsg$, this.rejectedWhat$]) subject.complete()
    this.stoppedReason$.next(reason)
    this.stoppedReason$.complete()
  }
}

const maxWaitingSends = 4_096
const maxEffectsPerTurn = 1_024

const commandMsg = <C>({ index, command }: Command<C>): ApplyMsg<C> => ({
  commandValid: true,
  snapshotValid: false,
  command,
  commandIndex: index,
})

const snapshotMsg = (snapshotIndex: number, snapshotTerm: number, snapshot: Uint8Array): ApplyMsg<never> => ({
  commandValid: false,
  snapshotValid: true,
  snapshot,
  snapshotTerm,
  snapshotIndex,
})
