import type { TraceLine } from '../line.js'
import { durableIndex, holds } from './disk.js'
import { entryAt, isMajority, isSame, lastIndex, type ModelLog, termAt, voterLists } from './log.js'
import type { Model, ModelServer } from './model.js'
import { must } from './must.js'

/*
 * Figure 3, and what a leader may take for committed. Each is looked at where it can break, so that a long trace costs
 * no more a line than a short one.
 */

/** Election Safety, and Leader Completeness for whoever is elected. */
export const elected = ({ elected: seen, committed: all }: Model, { id, currentTerm, log }: ModelServer): void => {
  const other = seen.get(currentTerm)
  must(other === undefined || other === id, `Election Safety: ${other} was elected in term ${currentTerm}`)
  seen.set(currentTerm, id)
  for (const [index, entry] of all) mustHold(log, index, () => isSame(entryAt(log, index), entry), `Leader Completeness: entry ${index}`)
}

const mustHold = (log: ModelLog, index: number, is: () => boolean, what: string): void =>
  must(index <= log.baseIndex || is(), `${what} was committed, and its log has another or none`)

/**
 * Log Matching: a log's entries from `from` on are those which every other log holds at that index and term, and so is
 * what precedes them.
 */
export const grown = ({ entries: seen, committed: all }: Model, log: ModelLog, from: number): void => {
  const last = all.get(log.baseIndex)
  must(
    last === undefined || last.term === log.baseTerm,
    `Log Matching: what its log begins after, ${log.baseIndex}, was committed in another term`,
  )
  for (let index = from; index <= lastIndex(log); index++) {
    const entry = entryAt(log, index)!
    const prevTerm = termAt(log, index - 1)
    must(prevTerm === null || prevTerm <= entry.term, `the terms of its log decrease at ${index}`)
    const key = `${index} ${entry.term}`
    const other = seen.get(key)
    if (other === undefined) seen.set(key, { entry, prevTerm })
    else must(isSame(other.entry, entry) && other.prevTerm === prevTerm, `Log Matching: index ${index}, term ${entry.term}`)
  }
}

/**
 * State Machine Safety by what is known to be committed, and Leader Completeness for those who lead a later term
 * already.
 */
export const committed = ({ committed: all, servers }: Model, server: ModelServer, before: number): void => {
  const { log, commitIndex, currentTerm } = server
  must(commitIndex <= lastIndex(log), `commitIndex ${commitIndex} is beyond its log`)
  for (let index = Math.max(before, log.baseIndex) + 1; index <= commitIndex; index++) {
    const entry = entryAt(log, index)!
    const other = all.get(index)
    must(other === undefined || isSame(other, entry), `State Machine Safety: another entry is committed at ${index}`)
    if (other !== undefined) continue
    all.set(index, entry)
    for (const { id, role, currentTerm: T, log: theirs } of servers.values())
      if (role === 'Leader' && T > currentTerm)
        mustHold(theirs, index, () => isSame(entryAt(theirs, index), entry), `Leader Completeness: ${id} leads, entry ${index}`)
  }
}

/**
 * "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and log[N].term == currentTerm: set
 * commitIndex = N." The leader counts itself up to what is on its disk; and the disks of that majority are looked at,
 * too. Whether it did.
 */
export const advancedCommit = ({ servers }: Model, server: ModelServer, N: number): boolean => {
  const { id, role, log, commitIndex, currentTerm, matchIndex, disk } = server
  if (role !== 'Leader' || N <= commitIndex) return false
  must(termAt(log, N) === currentTerm, `it commits entry ${N} of term ${termAt(log, N)} by counting (§5.4.2)`)
  const reaches = (voter: string): boolean => (voter === id ? durableIndex(disk) : (matchIndex.get(voter) ?? 0)) >= N
  must(isMajority(voterLists(log), reaches), `no majority has told it that it has entry ${N}`)
  const hasIt = (voter: string): boolean => {
    const theirs = servers.get(voter)
    return theirs !== undefined && holds(theirs.disk, N, log)
  }
  must(isMajority(voterLists(log), hasIt), `entry ${N} is not on the disks of a majority`)
  server.commitIndex = N
  return true
}

/**
 * "If commitIndex > lastApplied: apply log[lastApplied] to state machine": committed, on this disk, each command once
 * and in order.
 */
export const handsOver = (server: ModelServer, { apply, restore, after }: TraceLine): void => {
  const { log, commitIndex, disk, applyingIndex, lastApplied } = server
  must(after.applyingIndex >= applyingIndex, 'applyingIndex decreases')
  must(
    after.applyingIndex === applyingIndex || after.applyingIndex <= Math.min(commitIndex, durableIndex(disk)),
    'it applies what is not committed here',
  )
  must(
    after.lastApplied >= lastApplied && after.lastApplied <= after.applyingIndex,
    'lastApplied is beyond what was handed over, or decreases',
  )
  // "Reset state machine using snapshot contents" (Figure 13): where its log begins after what it has, and nowhere
  // else.
  must(
    restore === null || (restore.index === log.baseIndex && restore.term === log.baseTerm),
    'it restores something else than its snapshot',
  )
  must(restore === null || restore.index > applyingIndex, 'a snapshot takes its state machine back')
  must(restore === null || restore.index <= durableIndex(disk), 'it restores a snapshot that is not on its disk')
  let next = (restore?.index ?? applyingIndex) + 1
  must(next > log.baseIndex || after.applyingIndex === applyingIndex, 'it applies entries without the snapshot before them')
  for (const { firstIndex, count } of apply) {
    while (next < firstIndex && entryAt(log, next)?.kind !== 'command') next++
    must(next === firstIndex, `entry ${firstIndex} is applied where ${next} comes next`)
    for (; next < firstIndex + count; next++) must(entryAt(log, next)?.kind === 'command', `entry ${next} is applied and is no command`)
  }
  while (next <= after.applyingIndex && entryAt(log, next)?.kind !== 'command') next++
  must(next === after.applyingIndex + 1, `entry ${next} is left out when commands are applied`)
  server.applyingIndex = after.applyingIndex
  server.lastApplied = after.lastApplied
}
