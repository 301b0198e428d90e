import type { Metrics } from '../../server/metrics.js'
import type { HttpContext } from './httpContext.js'

/* Prometheus' text format, version 0.0.4. */

interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const labelled = (labels: Readonly<Record<string, string>> = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const family = (type: 'gauge' | 'counter', name: string, help: string, samples: number | ReadonlyArray<Sample>): string => {
  const lines = typeof samples === 'number' ? [{ value: samples }] : samples
  const fullName = `rxraft_${name}`
  return [
    `# HELP ${fullName} ${help}`,
    `# TYPE ${fullName} ${type}`,
    ...lines.map((line: Sample) => `${fullName}${labelled(line.labels)} ${line.value}`),
    '',
  ].join('\n')
}

const roles = ['Follower', 'Candidate', 'Leader']

export const metricsText = (metrics: Metrics, context: HttpContext): string =>
  [...serverFamilies(metrics), ...storeFamilies(context), ...httpFamilies(context)].join('')

const serverFamilies = (metrics: Metrics): ReadonlyArray<string> => {
  const { proposals } = metrics
  return [
    family('gauge', 'info', 'This server.', [{ labels: { id: metrics.id }, value: 1 }]),
    family(
      'gauge',
      'role',
      'What this server is.',
      roles.map((role) => ({ labels: { role }, value: metrics.role === role ? 1 : 0 })),
    ),
    family('gauge', 'has_leader', 'Whether a leader is known here.', metrics.leader === null ? 0 : 1),
    family('gauge', 'term', 'The current term.', metrics.term),
    family('gauge', 'commit_index', 'The last log index known to be committed.', metrics.commitIndex),
    family('gauge', 'applied_index', 'The last log index that the store has applied.', metrics.lastApplied),
    family('gauge', 'last_index', 'The last log index.', metrics.lastIndex),
    family('gauge', 'durable_index', 'The last log index that is on stable storage.', metrics.durableIndex),
    family('gauge', 'log_entries', 'Entries of the log in memory.', metrics.logEntries),
    family('gauge', 'log_bytes', 'Commands of the log in memory.', metrics.logBytes),
    family(
      'gauge',
      'snapshot_index',
      'The last log index that the snapshot holds, 0 for none: the log begins after it.',
      metrics.snapshotIndex,
    ),
    family('gauge', 'snapshot_bytes', 'Bytes of the snapshot.', metrics.snapshotBytes),
    family('counter', 'snapshots_total', 'Snapshots by where they came from.', [
      { labels: { from: 'own' }, value: metrics.snapshotsTaken },
      { labels: { from: 'leader' }, value: metrics.snapshotsInstalled },
    ]),
    family('gauge', 'storage_bytes', 'Bytes on disk.', metrics.storageBytes),
    family('counter', 'steps_total', 'Events decided.', metrics.steps),
    family('counter', 'elections_started_total', 'Elections that this server stood in.', metrics.electionsStarted),
    family('counter', 'elections_won_total', 'Elections that this server won.', metrics.electionsWon),
    family('counter', 'messages_total', 'Messages between servers.', [
      { labels: { direction: 'sent' }, value: metrics.messagesSent },
      { labels: { direction: 'received' }, value: metrics.messagesReceived },
    ]),
    family('counter', 'rejected_total', 'What arrived from other servers and was not let in.', metrics.rejected),
    family('gauge', 'proposals_pending', 'Proposals that have not ended.', proposals.pending),
    family('counter', 'proposals_total', 'Proposals by how they ended.', [
      { labels: { outcome: 'applied' }, value: proposals.applied },
      { labels: { outcome: 'refused' }, value: proposals.refused },
      { labels: { outcome: 'indeterminate' }, value: proposals.indeterminate },
    ]),
  ]
}

const storeFamilies = ({ options }: HttpContext): ReadonlyArray<string> => {
  const { revision, compactRevision, keys, liveBytes, history, clients } = options.server.store()
  return [
    family('gauge', 'kv_revision', 'The revision of the store.', revision),
    family('gauge', 'kv_compact_revision', 'The oldest revision that can be read.', compactRevision),
    family('gauge', 'kv_keys', 'Keys there are.', keys.size),
    family('gauge', 'kv_live_bytes', 'Memory of the current versions, estimated.', liveBytes),
    family('gauge', 'kv_history_bytes', 'Memory of older versions, estimated.', history.bytes),
    family('gauge', 'kv_sessions', 'Client sessions.', clients.sessions.size),
    family('gauge', 'kv_idempotency_keys', 'Idempotency keys that are remembered.', clients.idempotencyKeys.size),
  ]
}

const httpFamilies = ({ counted, gateway, buffered, answerBudget, eventBudget }: HttpContext): ReadonlyArray<string> => {
  const { requests, forwarded, watches } = gateway.counts()
  return [
    family(
      'counter',
      'http_answers_total',
      'Answers by class of status.',
      Object.entries(counted.answers).map(([code, value]) => ({ labels: { code }, value })),
    ),
    family('gauge', 'http_requests', 'Requests under way.', requests),
    family('counter', 'http_passed_on_total', 'Requests passed on to the leader.', forwarded),
    family('gauge', 'http_buffered_bytes', 'Request bodies in memory.', buffered.bytes),
    family('gauge', 'http_answer_bytes', 'What answers keep in memory until they are sent.', answerBudget.bytes),
    family('counter', 'http_answers_cut_total', 'Answers whose client read too slowly.', counted.answersCut),
    family('gauge', 'http_watches', 'Watches there are.', watches),
    family('counter', 'http_watches_cut_total', 'Watches whose client read too slowly.', counted.watchesCut),
    family('gauge', 'http_watch_bytes', 'Values of long events that are being sent to watches.', eventBudget.bytes),
    family('gauge', 'http_connections', 'Connections there are.', counted.connections),
    family(
      'counter',
      'http_connections_refused_total',
      'Connections that were closed, by the bound that they exceeded.',
      Object.entries(counted.connectionsRefused).map(([bound, value]) => ({ labels: { bound }, value })),
    ),
  ]
}
