import type { Lab } from '../lab.js'
import type { Script } from '../script.js'

/**
 * 3D: log compaction (§7). Every service takes a snapshot at 9, 19, 29 …, which must keep the persisted state short.
 */

const maxRaftStateBytes = 2_000

const shortState = (lab: Lab): void => {
  const longest = Math.max(...lab.members.map(({ persister }) => persister.raftStateSize()))
  if (longest >= maxRaftStateBytes) lab.fail(`the persisted state of a server takes ${longest} bytes`)
}

/** As many commands as may or may not lead to a snapshot. */
const perhapsASnapshot = (lab: Lab): number => 5 + lab.below(10)

/** Thirty rounds in which a server misses what the others agree on: it is gone by `leave` and returns by `comeBack`. */
const whileAway = (leave: (lab: Lab, victim: number) => void, comeBack: (lab: Lab, victim: number) => void) =>
  function* (lab: Lab): Script {
    yield* lab.one(lab.command(), 3, true)
    let leader = yield* lab.oneLeader()
    for (let round = 0; round < 30; round++) {
      const leaderLeaves = round % 3 === 1
      const [victim, sender] = leaderLeaves ? [leader, lab.next(leader)] : [lab.next(leader), leader]
      leave(lab, victim)
      yield* lab.one(lab.command(), 2, true)

      const commands = perhapsASnapshot(lab)
      for (let i = 0; i < commands; i++) lab.rf(sender).start(lab.command())
      yield* lab.one(lab.command(), 2, true) // what was started has been applied
      shortState(lab)

      comeBack(lab, victim)
      yield* lab.one(lab.command(), 3, true)
      leader = yield* lab.oneLeader()
    }
  }

export const snapshotInstall = whileAway(
  (lab, victim) => lab.cut(victim),
  (lab, victim) => lab.connect(victim),
)

export const snapshotInstallCrash = whileAway(
  (lab, victim) => lab.crash(victim),
  (lab, victim) => {
    lab.start(victim)
    lab.connect(victim)
  },
)

/** Nobody misses anything: no snapshot needs to be sent. */
export function* snapshotBasic(lab: Lab): Script {
  yield* lab.one(lab.command(), 3, true)
  const leader = yield* lab.oneLeader()
  for (let round = 0; round < 30; round++) {
    const sender = round % 3 === 1 ? lab.next(leader) : leader
    const commands = perhapsASnapshot(lab)
    for (let i = 0; i < commands; i++) lab.rf(sender).start(lab.command())
    yield* lab.one(lab.command(), 3, true)
    shortState(lab)
  }
}

function* restartAll(lab: Lab): Script {
  for (const i of lab.all) lab.crash(i)
  lab.reviveAll()
  yield 0
}

export function* snapshotAllCrash(lab: Lab): Script {
  yield* lab.one(lab.command(), 3, true)
  for (let round = 0; round < 5; round++) {
    const commands = perhapsASnapshot(lab)
    for (let i = 0; i < commands; i++) yield* lab.one(lab.command(), 3, true)
    const last = yield* lab.one(lab.command(), 3, true)
    yield* restartAll(lab)
    const next = yield* lab.one(lab.command(), 3, true)
    if (next < last + 1) lab.fail(`index ${next} was given again after ${last}`)
    shortState(lab)
  }
}

/** What is saved after a restart must not lose the snapshot. */
export function* snapshotInit(lab: Lab): Script {
  for (let i = 0; i < 12; i++) yield* lab.one(lab.command(), 3, true)
  yield* restartAll(lab)
  yield* lab.one(lab.command(), 3, true)
  yield* restartAll(lab)
  yield* lab.one(lab.command(), 3, true)
  shortState(lab)
}
