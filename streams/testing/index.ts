/** rxraft/testing: what tests of programs on rxraft can use. It needs no test framework. */
export * from './cluster.js'
export type { DiskRecord } from './disk.js'
export * from './marbles.js'
export * from './properties.js'
export * from './random.js'
export * from './settle.js'
export * from './trace/index.js'
export * from './transcript.js'
