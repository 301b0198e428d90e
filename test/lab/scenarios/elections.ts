import type { Lab } from '../lab.js'
import type { Script } from '../script.js'

/** 3A: leader election (§5.2). */

export function* initialElection(lab: Lab): Script {
  yield* lab.oneLeader()
  yield 50
  const term = lab.agreedTerm()
  if (term < 1) lab.fail(`the term is ${term}, but should be at least 1`)
  yield 2_000
  const later = lab.agreedTerm()
  if (later !== term) lab.warnings.push(`the term changed from ${term} to ${later} though nothing had failed`)
  yield* lab.oneLeader()
}

export function* reElection(lab: Lab): Script {
  const first = yield* lab.oneLeader()

  // If the leader is cut off, a new one is elected;
  lab.cut(first)
  yield* lab.oneLeader()

  // when the old one rejoins, it must not disturb the new one;
  lab.connect(first)
  const second = yield* lab.oneLeader()

  // without a quorum there is no leader,
  lab.cut(second, lab.next(second))
  yield 2_000
  lab.noLeader()

  // with one there is,
  lab.connect(lab.next(second))
  yield* lab.oneLeader()

  // and with all of them still.
  lab.connect(second)
  yield* lab.oneLeader()
}

export function* manyElections(lab: Lab): Script {
  yield* lab.oneLeader()
  for (let round = 0; round < 9; round++) {
    const cut = [lab.below(7), lab.below(7), lab.below(7)]
    lab.cut(...cut)
    // Either the leader is still there, or the four or more that are left elect one.
    yield* lab.oneLeader()
    lab.connect(...cut)
  }
  yield* lab.oneLeader()
}
