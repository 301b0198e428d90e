import { createDraft, finishDraft } from 'immer'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import { type Step, stepOn } from '../../src/raft/step.js'

/**
 * `step` through immer: the same rules write to a draft of immer's, and immer makes the next state of it, frozen. The
 * outcome is equal, and a part that did not change is the identical one. `step` makes its draft by a copy, which costs
 * much less (docs/decisions/0002).
 *
 * @example
 * const raft = createRaft({ id: 'n1', network, storage, step: immerStep })
 */
export const immerStep = (server: Server, event: RaftEvent, at: number): Step => {
  const draft = createDraft(server)
  const effects = stepOn(draft, server, event, at)
  return { server: finishDraft(draft), effects }
}
