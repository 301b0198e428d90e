/** rxraft/node: what needs Node: TCP between servers, the disk, HTTP. */
export * from './kv/node.js'
export * from './network/tcp/metrics.js'
export * from './network/tcp/tcpNetwork.js'
export type { Address, Constants, TcpNetworkOptions } from './network/tcp/options.js'
export { bootstrap, type Bootstrap } from './storage/disk/bootstrap.js'
export { type Beginning, bootstrapFrom, type BootstrapFrom } from './storage/disk/bootstrapFrom.js'
export { type DiskOptions, type DiskStorage, diskStorage, type OpenDisk } from './storage/disk/diskStorage.js'
export { type Identity, readIdentity } from './storage/disk/identity.js'
