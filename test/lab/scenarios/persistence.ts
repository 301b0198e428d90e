import type { Lab } from '../lab.js'
import type { Script } from '../script.js'

/** 3C: persistence, and logs that differ in every way (§5.4). */

export function* persist1(lab: Lab): Script {
  const at = function* (index: number, command: number, servers: number): Script {
    const got = yield* lab.one(command, servers, true)
    if (got !== index) lab.fail(`got index ${got}, but expected ${index}`)
  }
  yield* at(1, 11, 3)

  for (const i of lab.all) lab.start(i)
  yield* at(2, 12, 3)

  const first = yield* lab.oneLeader()
  lab.start(first)
  yield* at(3, 13, 3)

  const second = yield* lab.oneLeader()
  lab.cut(second)
  yield* at(4, 14, 2)
  lab.start(second)
  lab.connect(second)
  yield* lab.wait(4, 3) // it has caught up before the next one goes

  const third = lab.next(yield* lab.oneLeader())
  lab.cut(third)
  yield* at(5, 15, 2)
  lab.start(third)
  lab.connect(third)
  yield* at(6, 16, 3)
}

export function* persist2(lab: Lab): Script {
  let command = 11
  for (let round = 0; round < 5; round++) {
    yield* lab.one(command++, 5, true)
    const leader = yield* lab.oneLeader()
    const [a, b, c, d] = [1, 2, 3, 4].map((n) => lab.next(leader, n)) as [number, number, number, number]

    lab.cut(a, b)
    yield* lab.one(command++, 3, true)
    lab.cut(leader, c, d)

    for (const i of [a, b]) {
      lab.start(i)
      lab.connect(i)
    }
    yield 1_000
    lab.start(c)
    lab.connect(c)
    yield* lab.one(command++, 3, true)

    lab.connect(d, leader)
  }
  yield* lab.one(1_000, 5, true)
}

export function* persist3(lab: Lab): Script {
  yield* lab.one(101, 3, true)
  const leader = yield* lab.oneLeader()
  const [a, b] = [lab.next(leader), lab.next(leader, 2)]
  lab.cut(b)
  yield* lab.one(102, 2, true)

  lab.crash(leader)
  lab.crash(a)
  lab.connect(b)
  lab.start(leader)
  lab.connect(leader)
  yield* lab.one(103, 2, true)

  lab.start(a)
  lab.connect(a)
  yield* lab.one(104, 3, true)
}

const pauseMs = (lab: Lab): number => (lab.chance(0.1) ? lab.below(500) : lab.below(13))

/** Figure 8 of the paper, over and over: leaders that crash as soon as they accepted something. */
export function* figure8(lab: Lab): Script {
  yield* lab.one(lab.command(), 1, true)
  const up = (): number => lab.all.filter((i) => lab.isUp(i)).length
  for (let step = 0; step < 1_000; step++) {
    let leader: number | null = null
    for (const i of lab.all) if (lab.isUp(i) && lab.rf(i).start(lab.command()).isLeader) leader = i
    yield pauseMs(lab)
    if (leader !== null) lab.crash(leader)
    const i = lab.below(5)
    if (up() < 3 && !lab.isUp(i)) {
      lab.start(i)
      lab.connect(i)
    }
  }
  lab.reviveAll()
  yield* lab.one(lab.command(), 5, true)
}

export function* unreliableAgree(lab: Lab): Script {
  const background: ReturnType<typeof lab.fork<number>>[] = []
  for (let round = 1; round < 50; round++) {
    for (let j = 0; j < 4; j++) background.push(lab.fork(lab.one(100 * round + j, 1, true)))
    yield* lab.one(round, 1, true)
  }
  lab.network.reliable = true
  yield* lab.join(background)
  yield* lab.one(100, 5, true)
}

/**
 * The same with leaders that are cut off and go on accepting, on a network that loses, and from step 200 reorders, what
 * it carries.
 */
export function* figure8Unreliable(lab: Lab): Script {
  yield* lab.one(lab.below(10_000), 1, true)
  let connected = 5
  for (let step = 0; step < 1_000; step++) {
    if (step === 200) lab.network.longReordering = true
    let leader: number | null = null
    for (const i of lab.all) if (lab.rf(i).start(lab.below(10_000)).isLeader && lab.isConnected(i)) leader = i
    yield pauseMs(lab)
    if (leader !== null && lab.isConnected(leader) && lab.chance(0.5)) {
      lab.cut(leader)
      connected--
    }
    const i = lab.below(5)
    if (connected < 3 && !lab.isConnected(i)) {
      lab.connect(i)
      connected++
    }
  }
  lab.connect(...lab.all)
  yield* lab.one(lab.below(10_000), 5, true)
}
