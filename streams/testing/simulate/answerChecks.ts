import type { NodeId } from '../../../src/raft/ids.js'
import type { Applied } from '../../sinks/stateMachine.js'
import { SameAnswers, sameValue } from '../checkers/answers.js'
import { type Acknowledged, ClientView } from '../checkers/clientView.js'
import { sameBytes } from '../checkers/logMatching.js'
import type { Committed } from '../checkers/record.js'
import { Window } from '../checkers/window.js'
import type { BrokenProperty } from './violation.js'
import type { Workload, WorkloadModel } from './workload.js'

/**
 * Compares what state machines answer and clients are told: the servers among each other, and all of them
 * with the model of the workload. Each method returns what is wrong, or null.
 */
export class AnswerChecks {
  private readonly same: (a: unknown, b: unknown) => boolean
  private readonly answers: SameAnswers<unknown>
  private readonly snapshots = new SameAnswers<Uint8Array>(sameBytes)
  private readonly view: ClientView<unknown>
  private readonly model: WorkloadModel<unknown, unknown> | null
  /** The last index that the model was given. */
  private modelled = 0
  /** What the model answered. */
  private readonly right = new Window<unknown>()

  constructor(
    private readonly workload: Workload<unknown, unknown>,
    private readonly committed: Window<Committed>,
  ) {
    this.same = workload.same ?? sameValue
    this.answers = new SameAnswers(this.same)
    this.view = new ClientView(this.answers, committed, this.same)
    this.model = workload.model?.() ?? null
  }

  /** A state machine answered. */
  answered(id: NodeId, { index, result }: Applied): BrokenProperty | null {
    const wrong = this.answers.see({ id, index, result })
    if (wrong !== null) return { name: this.answers.name, message: wrong }
    if (this.model === null) return null
    this.applyToModel(this.model, index)
    const right = this.right.at(index)
    if (this.same(right, result)) return null
    const message = `${id} answers ${JSON.stringify(result)} at ${index}, and the model ${JSON.stringify(right)}`
    return { name: 'the state machine does what its model does', message }
  }

  /** In the order of the log. A server that began with a snapshot may be ahead of all others. */
  private applyToModel(model: WorkloadModel<unknown, unknown>, upTo: number): void {
    while (this.modelled < upTo) {
      const index = ++this.modelled
      const entry = this.committed.at(index)?.entry
      if (entry?.kind === 'command') this.right.set(index, model.apply(index, this.workload.codec.decode(entry.command)))
    }
  }

  snapshotTaken(id: NodeId, index: number, data: Uint8Array): BrokenProperty | null {
    const wrong = this.snapshots.see({ id, index, result: data })
    return wrong === null ? null : { name: this.snapshots.name, message: `snapshots: ${wrong}` }
  }

  /** A client has its answer; `serial` counts the commands of the client. */
  acknowledged(told: Acknowledged<unknown>, serial: number): BrokenProperty | null {
    const effective = this.model?.effectiveIndex?.(told.client, serial) ?? told.index
    const wrong = this.view.see(told, effective)
    return wrong === null ? null : { name: this.view.name, message: wrong }
  }
}
