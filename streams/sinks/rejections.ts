import type { EffectOf } from '../../src/raft/effect.js'
import type { Disbelief } from '../../src/raft/error.js'
import { maxTermLead } from '../../src/raft/ids.js'
import type { Rejected } from '../network/network.js'

const reasons: Readonly<Record<Disbelief, string>> = {
  AbsurdTerm: `its term is more than ${maxTermLead} above ours, and no cluster counts so far: something calls this port in its name.`,
  OtherIncarnation:
    'the configuration names it with another data directory. A server that lost its disk forgot its votes and must not vote under its old ' +
    'name: start it with its former data directory.',
  UnreadableSnapshot:
    'the state machine cannot begin with the snapshot that it brought: run versions of the state machine on all servers that read each ' +
    'other’s snapshots.',
  ReplacesCommitted:
    'it would replace entries that are committed here. One of the two servers belongs to another history: compare their data directories, ' +
    'and start none from an older copy.',
}

/** A message that the core did not believe, as the operator is told of it. */
export const rejectedOf = ({ from, why }: EffectOf<'Ignored'>): Rejected => ({
  _tag: 'Rejected',
  from,
  kind: 'message',
  reason: `A message of ${from} was ignored: ${reasons[why]}`,
})
