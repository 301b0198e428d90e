import { checkedStep } from '../../src/raft/invariants.js'
import type { Settings } from '../../src/raft/settings.js'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { lineOf } from '../../streams/testing/trace/lineOf.js'
import type { TraceLine } from '../../streams/testing/trace/line.js'

/** A cluster by hand and the trace of all it does. */
export const tracedCluster = (
  size: number,
  settings: Partial<Settings> = {},
  inner: typeof checkedStep = checkedStep,
): { readonly cluster: ClusterByHand; readonly lines: TraceLine[] } => {
  const lines: TraceLine[] = []
  const step: typeof checkedStep = (before, event, at) => {
    const { server, effects } = inner(before, event, at)
    lines.push(lineOf({ at, event, before, after: server, effects }))
    return { server, effects }
  }
  return { cluster: new ClusterByHand({ size, settings, step }), lines }
}
