/**
 * rxraft/lab: Raft as the MIT 6.5840 lab describes it, and the network that judges it. This entry runs in Node and in
 * browsers.
 *
 * @module rxraft/lab
 */
export type { ApplyMsg, CommandMsg, SnapshotMsg } from './lab/applyMsg.js'
export { type LabOptions, make, type Rf } from './lab/make.js'
export { type Handler, type LabFaults, type LabNetwork, labNetwork, type LabNetworkOptions } from './lab/network.js'
export { type MemoryPersister, memoryPersister, type Persister } from './lab/persister.js'
export { UnreadableRaftState } from './lab/raftState.js'
export type { PeerEnd } from './lab/requestResponse.js'
