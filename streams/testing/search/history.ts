import { InvariantViolation } from '../../../src/raft/error.js'
import { after, type NodeId, type Term } from '../../../src/raft/ids.js'
import { printServer } from '../../../src/raft/print.js'
import { type ClusterHistory, clusterProperties } from '../properties.js'
import { keyOfEntry, type Renaming } from './messages.js'
import { keyOfLog, type Site } from './site.js'

/* What the properties of Figure 3 need to know of the past: it is a part of a state of the search. */

export const noHistory: ClusterHistory = { leaders: new Map(), committed: new Map() }

/** Checks every property, then remembers what is to be seen now. The same history where nothing is new. */
export const observed = (history: ClusterHistory, sites: ReadonlyArray<Site>): ClusterHistory => {
  const cluster = sites.map(({ server, disk }) => ({ id: server.id, server, disk }))
  for (const { name, holds } of clusterProperties) {
    if (!holds(cluster, history)) throw new InvariantViolation(name, sites.map(({ server }) => printServer(server)).join('\n'))
  }
  const leaders = new Map<Term, NodeId>(history.leaders)
  const committed = new Map(history.committed)
  for (const { id, role, currentTerm, commitIndex, log } of sites.map(({ server }) => server)) {
    if (role._tag === 'Leader') leaders.set(currentTerm, id)
    for (let index = commitIndex; index > log.base.index && !committed.has(index); index = after(index, -1))
      committed.set(index, { entry: log.at(index)!, inTerm: currentTerm })
  }
  const isNews = leaders.size > history.leaders.size || committed.size > history.committed.size
  return isNews ? { leaders, committed } : history
}

/** Equal for equal histories, and for no others. */
export const keyOfHistory = ({ leaders, committed }: ClusterHistory): string => {
  const led = [...leaders].sort(([a], [b]) => a - b).map(([term, id]) => `${term}${id}`)
  const entries = [...committed].sort(([a], [b]) => a - b).map(([index, { entry, inTerm }]) => `${index}=${keyOfEntry(entry)}@${inTerm}`)
  return `${led.join()}|${entries.join()}`
}

export const renamedHistory = ({ leaders, committed }: ClusterHistory, to: Renaming): ClusterHistory => ({
  leaders: new Map([...leaders].map(([term, id]) => [term, to(id)])),
  committed,
})

/** All that the properties look at in a site. */
export const viewOf = ({ server: { role, currentTerm, commitIndex, log }, disk }: Site): string =>
  `${role._tag === 'Leader'} ${currentTerm} ${commitIndex} ${keyOfLog(log)} ${keyOfLog(disk.log)}`
