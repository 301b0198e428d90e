import type { Tuning } from '../../streams/options.js'
import type { Settings } from '../config/settings.js'

/** What of the settings a server is tuned with, and how often its view hears of it. */
export const tuningOf = ({ heartbeatMs, electionTimeoutMs }: Settings): Partial<Tuning> => ({
  metricsMs: 500,
  ...(heartbeatMs !== undefined && { heartbeatMs }),
  ...(electionTimeoutMs !== undefined && { electionTimeoutMs }),
})
