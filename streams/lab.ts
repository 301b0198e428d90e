/** rxraft/lab: Raft as the MIT 6.5840 lab describes it, and the network that judges it. This entry runs in Node and in browsers. */
export * from './lab/applyMsg.js'
export * from './lab/make.js'
export * from './lab/network.js'
export * from './lab/persister.js'
export { UnreadableRaftState } from './lab/raftState.js'
export type { PeerEnd } from './lab/requestResponse.js'
