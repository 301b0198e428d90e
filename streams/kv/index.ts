/** The replicated key/value store as a service, and its client. All of it runs in Node and in browsers; `node.js` adds HTTP. */
export * as kv from '../../src/kv/index.js'
export {
  type CallOptions,
  type Client,
  ClientError,
  type ClientFailure,
  type ClientOptions,
  createClient,
  type KvChanges,
  type KvItem,
  type LoadOptions,
  type LoadProgress,
  type Outcome,
  type Page,
} from './client.js'
export { createKvServer, type KvServer, type KvServerOptions } from './kvServer.js'
export { memoryTransport, type MemoryTransportOptions } from './memoryTransport.js'
export { isDone, type KvFailure, type KvReply, replyMessage } from './reply.js'
export type { Delivery, Transport, WatchEvent, WatchFailure, WatchMessage } from './transport.js'
export type { Changes, WatchError, WatchOptions } from './watch.js'
