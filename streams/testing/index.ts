/** rxraft/testing: what tests of programs on rxraft can use. It needs no test framework. */
export * from './marbles.js'
