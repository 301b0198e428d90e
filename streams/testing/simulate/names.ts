import { type NodeId, nodeId } from '../../../src/raft/ids.js'

/** The names of so many servers: n1, n2, … */
export const namesOf = (servers: number): ReadonlyArray<NodeId> => Array.from({ length: servers }, (_, i) => nodeId(`n${i + 1}`))

/** Of `n7`, 7. A look-up in a `Map` takes a hundredth of a whole run. */
export const ordinalOf = (id: NodeId): number => (id.length === 2 ? id.charCodeAt(1) - 48 : Number(id.slice(1)))
