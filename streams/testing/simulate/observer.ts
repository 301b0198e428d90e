import type { NodeId } from '../../../src/raft/ids.js'
import type { Applied } from '../../sinks/stateMachine.js'
import type { Inspection } from '../../loop/run.js'
import type { StopReason } from '../../server/createRaft.js'
import { allChecks } from '../checkers/all.js'
import { Checks } from '../checkers/checker.js'
import { AnswerChecks } from './answerChecks.js'
import { hashStep } from './hashStep.js'
import { Narrator } from './narrator.js'
import type { SimulatedOperation } from './operation.js'
import { TraceHash } from './traceHash.js'
import type { BrokenProperty, SimulatedViolation } from './violation.js'
import type { Workload } from './workload.js'

export interface ObserverOptions {
  readonly workload: Workload<unknown, unknown>
  readonly checks: boolean
  readonly keepsHistory: boolean
  readonly tell: ((line: string) => void) | null
  /** The time of the simulation. */
  readonly now: () => number
}

/** What a client asked for, when, and as its how-many-eth command. */
export interface Asked {
  readonly client: number
  readonly serial: number
  readonly command: unknown
  readonly call: number
}

/** Is told everything that happens in a simulation: counts it, hashes it, narrates it and checks it. */
export class Observer {
  readonly hash = new TraceHash()
  readonly checks: Checks
  readonly narrator: Narrator
  readonly history: SimulatedOperation[] = []
  /** The first property that did not hold. */
  violation: SimulatedViolation | null = null
  steps = 0
  elections = 0
  operations = 0
  snapshotsTaken = 0
  snapshotsInstalled = 0
  /** Events that say that a peer cannot be reached. */
  unreachable = 0
  private readonly answerChecks: AnswerChecks | null

  constructor(private readonly options: ObserverOptions) {
    const { checks, workload, tell } = options
    this.narrator = new Narrator(tell)
    this.checks = new Checks(checks ? allChecks : [])
    this.answerChecks = checks ? new AnswerChecks(workload, this.checks.record.committed) : null
  }

  /** Looks at a step. After a violation nothing is looked at any more. */
  stepped(step: Inspection): void {
    if (this.violation !== null) return
    try {
      this.look(step)
    } catch (error) {
      this.threw(error)
    }
  }

  private look(step: Inspection): void {
    const { before, after, event } = step
    this.steps++
    hashStep(this.hash, step)
    if (event._tag === 'Unreachable') this.unreachable++
    this.narrator.stepped(this.options.now(), step)
    this.expect(this.checks.see(step))
    if (event._tag !== 'Started' && after.log.base.index > before.applyingIndex) this.snapshotsInstalled++
    if (before.role._tag !== 'Leader' && after.role._tag === 'Leader') this.elections++
  }

  /** A state machine answered. */
  answered(id: NodeId, answer: Applied): void {
    const { answerChecks } = this
    if (answerChecks === null || this.violation !== null) return
    try {
      this.expect(answerChecks.answered(id, answer))
    } catch (error) {
      this.threw(error)
    }
  }

  snapshotTaken(id: NodeId, index: number, data: Uint8Array): void {
    this.snapshotsTaken++
    this.expect(this.answerChecks?.snapshotTaken(id, index, data))
  }

  /** A client was told the result of its command. */
  acknowledged({ client, serial, command, call }: Asked, { index, result }: Applied): void {
    const now = this.options.now()
    this.operations++
    this.hash.add(client)
    this.hash.add(serial)
    this.hash.add(index)
    this.hash.add(now)
    this.keep(client, command, call, result, now)
    this.expect(this.answerChecks?.acknowledged({ client, call, return: now, index, result }, serial))
  }

  /** A client will never know what became of its command. */
  givenUp({ client, command, call }: Asked): void {
    this.hash.add(client)
    this.keep(client, command, call, null, null)
  }

  private keep(client: number, command: unknown, call: number, result: unknown, end: number | null): void {
    if (!this.options.keepsHistory) return
    const operation = this.options.workload.operation?.(command, result)
    if (operation === undefined) return
    const { key, input, output } = operation
    this.history.push({ client, key, call, return: end, input, output })
  }

  /** A server that stops although no fault asked for it is a bug (I6). */
  stopped(id: NodeId, reason: StopReason): void {
    this.note(`${id} stops: ${reason._tag}`)
    switch (reason._tag) {
      case 'Closed':
      case 'Killed':
      case 'StorageFailed':
      case 'StorageFull':
        return
      default:
        this.fail('no server stops by itself', `${id}: ${reason._tag}: ${reason.message}`)
    }
  }

  /** Runs code of a disk, a network, a workload or a check: if it throws, that is a violation. */
  readonly attempt = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      this.threw(error)
    }
  }

  private threw(error: unknown): void {
    this.fail('nothing throws', error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error))
  }

  private expect(broken: BrokenProperty | null | undefined): void {
    if (broken !== null && broken !== undefined) this.fail(broken.name, broken.message)
  }

  /** Notes a violation. The first one counts. */
  fail(name: string, message: string): void {
    this.violation ??= { name, at: this.options.now(), message }
  }

  /** Notes what happened beside the steps. */
  note(line: string): void {
    this.hash.text(line)
    this.narrator.note(this.options.now(), line)
  }
}
