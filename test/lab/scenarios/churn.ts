import type { Command, Lab } from '../lab.js'
import type { Script } from '../script.js'

/** 3C: servers that come and go while clients go on. */

export function* churn(lab: Lab): Script {
  let stopped = false
  /** Starts commands one after the other; gives those that it saw applied. */
  const client = function* (me: number): Script<ReadonlyArray<Command>> {
    const seen: Command[] = []
    while (!stopped) {
      const command = lab.command()
      let index = -1
      for (const i of lab.all) {
        const started = lab.isUp(i) ? lab.rf(i).start(command) : null
        if (started?.isLeader === true) index = started.index
      }
      if (index === -1) {
        yield 79 + me * 17
        continue
      }
      // The leader may commit it or not; nobody waits for ever.
      for (const pauseMs of [10, 20, 50, 100, 200]) {
        if (lab.countApplied(index) > 0) {
          if (lab.appliedAt(index) === command) seen.push(command)
          break
        }
        yield pauseMs
      }
    }
    return seen
  }
  const clients = [0, 1, 2].map((me) => lab.fork(client(me)))

  for (let round = 0; round < 20; round++) {
    if (lab.chance(0.2)) lab.cut(lab.below(5))
    if (lab.chance(0.5)) {
      const i = lab.below(5)
      if (!lab.isUp(i)) lab.start(i)
      lab.connect(i)
    }
    if (lab.chance(0.2)) {
      const i = lab.below(5)
      if (lab.isUp(i)) lab.crash(i)
    }
    yield 700
  }
  yield 1_000
  lab.network.reliable = true
  lab.reviveAll()
  stopped = true
  const seen = (yield* lab.join(clients)).flat()
  yield 1_000

  const last = yield* lab.one(lab.command(), 5, true)
  const log = new Set<Command>()
  for (let index = 1; index <= last; index++) log.add((yield* lab.wait(index, 5))!)
  for (const command of seen) if (!log.has(command)) lab.fail(`${command} was seen applied and is not in the log`)
}
