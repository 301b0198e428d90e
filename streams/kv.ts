/**
 * rxraft/kv: the replicated key/value store as values, as a service, and its client. All of it runs in Node and in
 * browsers; `rxraft/node` adds HTTP.
 *
 * @module rxraft/kv
 */
export * as kv from '../src/kv/index.js'
export {
  type CallOptions,
  type Client,
  createClient,
  type KvEntry,
  type LoadOptions,
  type KvPage,
  type KvWritten,
} from './kv/client/createClient.js'
export type { KvChanges, KvEvent, KvItem } from './kv/client/items.js'
export type { LoadProgress } from './kv/client/load.js'
export type { ClientOptions, ClientTuning } from './kv/client/options.js'
export { ClientError, type ClientFailure, type Outcome } from './kv/client/outcome.js'
export type { CompactionPolicy } from './kv/server/housekeeping.js'
export { createKvServer, type KvServer, type KvServerOptions } from './kv/server/kvServer.js'
export { memoryTransport, type MemoryTransportOptions } from './kv/memoryTransport.js'
export { isDone, type KvFailure, type KvReply, replyMessage } from './kv/reply.js'
export { type KvStateMachine, kvStateMachine, type KvStateMachineOptions } from './kv/server/stateMachine.js'
export type { Delivery, Transport, WatchEvent, WatchMessage } from './kv/transport.js'
export { type Changes, type WatchEnd, WatchError, type WatchOptions, watchStore } from './kv/server/watch.js'
