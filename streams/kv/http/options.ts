import type { SchedulerLike } from 'rxjs'
import { check, having, list, record, scheduler, text, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { defaultClock } from '../../server/options.js'
import type { KvServer } from '../server/kvServer.js'

/**
 * The options of `kvHttp`.
 *
 * @example
 * const options: KvHttpOptions = { server: kvServer, port: 7401, hostNames: ['kv.example.org'] }
 * kvHttp(options).subscribe()
 */
export interface KvHttpOptions extends Partial<KvHttpTuning> {
  readonly server: KvServer
  /** 0: one that is free. */
  readonly port: number
}

/**
 * The bounds of the HTTP server, each with its default; the docs page on HTTP says what happens at each bound.
 *
 * @example
 * const tuning: Partial<KvHttpTuning> = {
 *   host: '127.0.0.1', peers: { n2: 'http://127.0.0.1:7402' }, hostNames: ['kv.example.org'], scheduler,
 *   leaderWaitMs: 2_000, answerTimeoutMs: 5_000, maxRequests: 1_024,
 *   maxBodyBytes: 1 << 20, maxBatchBytes: 4 << 20, maxBatch: 1_024, maxBufferedBytes: 64 << 20,
 *   maxAnswerBytes: 32 << 20, answerStallMs: 5_000, rangeLimit: 100,
 *   maxWatches: 100, maxWatchBehind: 1_000, maxWatchBytes: 16 << 20, watchStallMs: 10_000, watchHeartbeatMs: 5_000,
 *   maxConnections: 1_024, maxConnectionsPerAddress: 256, maxPipelined: 16,
 *   lingerMs: 2_000, headersTimeoutMs: 5_000, requestTimeoutMs: 30_000, keepAliveMs: 60_000,
 * }
 * kvHttp({ server: kvServer, port: 7401, ...tuning }).subscribe()
 */
export interface KvHttpTuning {
  /** Default 127.0.0.1. */
  readonly host: string
  /**
   * The servers of the cluster and where each answers HTTP: `{ n2: 'http://127.0.0.1:7402' }`. This server may be among
   * them. Looked up when it is needed, so that ports can be filled in once they are known. Default none.
   */
  readonly peers: Readonly<Record<string, string>>
  /**
   * Names under which clients reach this server, beside `host` and the hosts of `peers`; addresses always do. A request
   * that names another host gets 403. Default none.
   */
  readonly hostNames: ReadonlyArray<string>
  /** How long a request waits for a leader before it gets 503. Default 4,000. */
  readonly leaderWaitMs: number
  /** How long a request may take in all before it gets 504, a read 503. Default 10,000. */
  readonly answerTimeoutMs: number
  /** Requests under way, watches aside; one more gets 429. Default 8,192. */
  readonly maxRequests: number
  /** The body of a single value; a larger one gets 413 before it is read. Default 1 MiB, the store's own default. */
  readonly maxBodyBytes: number
  /** The body of a batch, likewise. Default 8 MiB. */
  readonly maxBatchBytes: number
  /** Commands in a batch; more get 400. Default 4,096. */
  readonly maxBatch: number
  /** Bodies that are in memory, together; one more gets 429. Default 256 MiB. */
  readonly maxBufferedBytes: number
  /**
   * Bytes that answers to reads and batches keep in memory until they are sent, together: keys and values, and their
   * encoded form. A read beyond it gets 503. Default 128 MiB.
   */
  readonly maxAnswerBytes: number
  /** How long a client may take nothing of its answer; then its connection is broken. Default 10,000. */
  readonly answerStallMs: number
  /** Keys in one answer to a range where the request names no limit. Default 1,000. */
  readonly rangeLimit: number
  /** Default 1,000; one more gets 429. */
  readonly maxWatches: number
  /** Revisions that a watch may be behind while its client reads nothing; then it is cut. Default 10,000. */
  readonly maxWatchBehind: number
  /**
   * Values of long events that are being sent to watches, those of a revision once; beyond, the watches furthest behind
   * are cut. Default 64 MiB.
   */
  readonly maxWatchBytes: number
  /** How long the client of a watch may read nothing; then it is cut. Default 30,000. */
  readonly watchStallMs: number
  /** Between two signs of life of a watch. Default 10,000. */
  readonly watchHeartbeatMs: number
  /** Default 4,096; one more is closed at once. */
  readonly maxConnections: number
  /** From one address; one more is closed at once. A proxy has all of its clients on one. Default 2,048. */
  readonly maxConnectionsPerAddress: number
  /** Requests that wait on one connection for the answer to the one before them; one more closes it. Default 64. */
  readonly maxPipelined: number
  /**
   * How long a connection that is refused, or a body that is, is read and thrown away, so that its client gets the
   * answer. Default 5,000.
   */
  readonly lingerMs: number
  /** From connecting, or from the former answer, to the end of the headers. Default 10,000. */
  readonly headersTimeoutMs: number
  /** From the first byte of a request to its last. Default 60,000. */
  readonly requestTimeoutMs: number
  /** How long an idle connection is kept. Default 65,000. */
  readonly keepAliveMs: number
  /** Default `realClock`. */
  readonly scheduler: SchedulerLike
}

const MiB = 1 << 20

const defaults: KvHttpTuning = {
  host: '127.0.0.1',
  peers: {},
  hostNames: [],
  leaderWaitMs: 4_000,
  answerTimeoutMs: 10_000,
  maxRequests: 8_192,
  maxBodyBytes: MiB,
  maxBatchBytes: 8 * MiB,
  maxBatch: 4_096,
  maxBufferedBytes: 256 * MiB,
  maxAnswerBytes: 128 * MiB,
  answerStallMs: 10_000,
  rangeLimit: 1_000,
  maxWatches: 1_000,
  maxWatchBehind: 10_000,
  maxWatchBytes: 64 * MiB,
  watchStallMs: 30_000,
  watchHeartbeatMs: 10_000,
  maxConnections: 4_096,
  maxConnectionsPerAddress: 2_048,
  maxPipelined: 64,
  lingerMs: 5_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 65_000,
  scheduler: defaultClock,
}

export type TunedHttp = KvHttpOptions & KvHttpTuning

/** The options with their defaults, checked. Throws `InvalidOption`. */
export const tunedHttp = (options: KvHttpOptions): TunedHttp => {
  const tuning = withDefaults(defaults, options)
  check(tuning, {
    server: having('submit', 'submitAll', 'watch', 'store'),
    port: whole(0, 65_535),
    host: text,
    peers: record,
    hostNames: list(text),
    leaderWaitMs: whole(),
    answerTimeoutMs: whole(),
    maxRequests: whole(),
    maxBodyBytes: whole(),
    maxBatchBytes: whole(),
    maxBatch: whole(),
    maxBufferedBytes: whole(),
    maxAnswerBytes: whole(),
    answerStallMs: whole(),
    rangeLimit: whole(),
    maxWatches: whole(),
    maxWatchBehind: whole(),
    maxWatchBytes: whole(),
    watchStallMs: whole(),
    watchHeartbeatMs: whole(),
    maxConnections: whole(),
    maxConnectionsPerAddress: whole(),
    maxPipelined: whole(),
    lingerMs: whole(),
    headersTimeoutMs: whole(),
    requestTimeoutMs: whole(),
    keepAliveMs: whole(),
    scheduler,
  })
  if (tuning.headersTimeoutMs > tuning.requestTimeoutMs)
    throw new InvalidOption('headersTimeoutMs', 'is a part of requestTimeoutMs, so not longer')
  for (const [id, url] of Object.entries(tuning.peers)) {
    if (typeof url !== 'string' || !/^http:\/\/[^/]+$/.test(url) || !URL.canParse(url))
      throw new InvalidOption('peers', `${id} must be at http://host:port, not at ${url}`)
  }
  for (const name of tuning.hostNames) {
    if (!/^[a-z0-9_-][a-z0-9._-]*$/i.test(name)) throw new InvalidOption('hostNames', `must be names without scheme and port, not ${name}`)
  }
  return tuning
}
