/**
 * rxraft/node: what needs Node: TCP between servers, the disk, HTTP.
 *
 * @module rxraft/node
 */
export { kvHttp, type KvHttpError, type KvListening } from './kv/http/http.js'
export { type HttpTransport, httpTransport, type HttpTransportOptions } from './kv/http/httpTransport.js'
export type { KvHttpOptions, KvHttpTuning } from './kv/http/options.js'
export type { PeerMetrics, TcpMetrics } from './network/tcp/metrics.js'
export type { Address, Constants, TcpNetworkOptions } from './network/tcp/options.js'
export { type TcpNetwork, tcpNetwork } from './network/tcp/tcpNetwork.js'
export { bootstrap, type Bootstrap } from './storage/disk/bootstrap.js'
export { type Beginning, bootstrapFrom, type BootstrapFrom } from './storage/disk/bootstrapFrom.js'
export { type DiskOptions, type DiskStorage, diskStorage, type OpenDisk } from './storage/disk/diskStorage.js'
export { type Identity, readIdentity } from './storage/disk/identity.js'
