import type { KvServerOptions } from '../../streams/kv/server/kvServer.js'
import type { Tuning } from '../../streams/server/options.js'
import type { Settings } from '../config/settings.js'

/** What of a server's options can be set. */
export type ServerTuning = Partial<Tuning> & Pick<KvServerOptions, 'snapshots'>

/** What of the settings a server is tuned with, and how often its view hears of it. */
export const tuningOf = ({ heartbeatMs, electionTimeoutMs, snapshotEntries, snapshotBytes }: Settings): ServerTuning => ({
  metricsMs: 500,
  ...(heartbeatMs !== undefined && { heartbeatMs }),
  ...(electionTimeoutMs !== undefined && { electionTimeoutMs }),
  snapshots: {
    ...(snapshotEntries !== undefined && { everyEntries: snapshotEntries }),
    ...(snapshotBytes !== undefined && { everyBytes: snapshotBytes }),
  },
})
