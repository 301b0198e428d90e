/** The replicated key/value store as a service, and its client. All of it runs in Node and in browsers; `node.js` adds HTTP. */
export * as kv from '../../src/kv/index.js'
export {
  type CallOptions,
  type Client,
  createClient,
  type KvEntry,
  type LoadOptions,
  type KvPage,
  type KvWritten,
} from './client/createClient.js'
export type { KvChanges, KvEvent, KvItem } from './client/items.js'
export type { LoadProgress } from './client/load.js'
export type { ClientOptions, ClientTuning } from './client/options.js'
export { ClientError, type ClientFailure, type Outcome } from './client/outcome.js'
export type { CompactionPolicy } from './housekeeping.js'
export { createKvServer, type KvServer, type KvServerOptions } from './kvServer.js'
export { memoryTransport, type MemoryTransportOptions } from './memoryTransport.js'
export { isDone, type KvFailure, type KvReply, replyMessage } from './reply.js'
export { type KvStateMachine, kvStateMachine, type KvStateMachineOptions } from './stateMachine.js'
export type { Delivery, Transport, WatchEvent, WatchMessage } from './transport.js'
export { type Changes, type WatchEnd, WatchError, type WatchOptions, watchStore } from './watch.js'
