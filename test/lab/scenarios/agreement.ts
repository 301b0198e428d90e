import type { Lab } from '../lab.js'
import type { Script } from '../script.js'

/** 3B: log replication (§5.3). */

const text = (lab: Lab, length: number): string => Array.from({ length }, () => String.fromCharCode(97 + lab.below(26))).join('')

/** `one`, at exactly `index`. */
function* oneAt(lab: Lab, index: number, command: number | string, servers: number): Script {
  const got = yield* lab.one(command, servers, false)
  if (got !== index) lab.fail(`got index ${got}, but expected ${index}`)
}

export function* basicAgree(lab: Lab): Script {
  for (let index = 1; index <= 3; index++) {
    lab.noneApplied(index, 'before it was started')
    yield* oneAt(lab, index, index * 100, 3)
  }
}

/** Each command goes to each follower once. */
export function* rpcBytes(lab: Lab): Script {
  yield* lab.one(99, 3, false)
  const before = lab.network.counts().bytes
  let sent = 0
  for (let index = 2; index < 12; index++) {
    const command = text(lab, 5_000)
    yield* oneAt(lab, index, command, 3)
    sent += command.length
  }
  const got = lab.network.counts().bytes - before
  const expected = 3 * sent
  if (got > expected + 50_000) lab.fail(`too many RPC bytes: ${got}, of which ${expected} were expected`)
}

export function* followerFailure(lab: Lab): Script {
  yield* lab.one(101, 3, false)
  const leader = yield* lab.oneLeader()
  lab.cut(lab.next(leader))
  yield* lab.one(102, 2, false)
  yield 1_000
  yield* lab.one(103, 2, false)

  const other = yield* lab.oneLeader()
  lab.cut(lab.next(other), lab.next(other, 2))
  const { index, isLeader } = lab.rf(other).start(104)
  if (!isLeader) lab.fail('the leader refused a command')
  if (index !== 4) lab.fail(`expected index 4, got ${index}`)
  yield 2_000
  lab.noneApplied(4, 'without a majority')
}

export function* leaderFailure(lab: Lab): Script {
  yield* lab.one(101, 3, false)
  const first = yield* lab.oneLeader()
  lab.cut(first)
  yield* lab.one(102, 2, false)
  yield 1_000
  yield* lab.one(103, 2, false)

  const second = yield* lab.oneLeader()
  lab.cut(second)
  for (const i of lab.all) lab.rf(i).start(104)
  yield 2_000
  lab.noneApplied(4, 'without a majority')
}

export function* failAgree(lab: Lab): Script {
  yield* lab.one(101, 3, false)
  const leader = yield* lab.oneLeader()
  lab.cut(lab.next(leader))
  yield* lab.one(102, 2, false)
  yield* lab.one(103, 2, false)
  yield 1_000
  yield* lab.one(104, 2, false)
  yield* lab.one(105, 2, false)

  lab.connect(lab.next(leader))
  yield* lab.one(106, 3, true)
  yield 1_000
  yield* lab.one(107, 3, true)
}

export function* failNoAgree(lab: Lab): Script {
  yield* lab.one(10, 5, false)
  const leader = yield* lab.oneLeader()
  const cut = [1, 2, 3].map((n) => lab.next(leader, n))
  lab.cut(...cut)
  const { index, isLeader } = lab.rf(leader).start(20)
  if (!isLeader) lab.fail('the leader refused a command')
  if (index !== 2) lab.fail(`expected index 2, got ${index}`)
  yield 2_000
  lab.noneApplied(2, 'without a majority')

  lab.connect(...cut)
  // The three may have elected a leader of their own, whose log is without the second entry.
  const next = yield* lab.oneLeader()
  const again = lab.rf(next).start(30)
  if (!again.isLeader) lab.fail('the leader refused a command')
  if (again.index < 2 || again.index > 3) lab.fail(`unexpected index ${again.index}`)
  yield* lab.one(1_000, 5, true)
}

/** Up to five tries of something that is only seen while the term stands still; `attempt` says whether it was. */
function* inOneTerm(lab: Lab, attempt: () => Script<boolean>): Script {
  for (let tries = 0; tries < 5; tries++) {
    if (tries > 0) yield 3_000 // give the cluster time to settle
    if (yield* attempt()) return
  }
  lab.fail('the term changed too often')
}

export function* concurrentStarts(lab: Lab): Script {
  yield* inOneTerm(lab, function* (): Script<boolean> {
    const leader = yield* lab.oneLeader()
    const { term, isLeader } = lab.rf(leader).start(1)
    if (!isLeader) return false

    const callers = [100, 101, 102, 103, 104].map((command) =>
      lab.fork(
        // eslint-disable-next-line require-yield -- a caller of its own, which has nothing to wait for
        (function* (): Script<number | null> {
          const started = lab.rf(leader).start(command)
          return started.isLeader && started.term === term ? started.index : null
        })(),
      ),
    )
    const indexes = yield* lab.join(callers)
    if (lab.all.some((i) => lab.rf(i).getState().term !== term)) return false

    const applied: unknown[] = []
    for (const index of indexes) {
      if (index === null) continue
      const command = yield* lab.wait(index, 3, term)
      if (command === undefined) return false
      applied.push(command)
    }
    for (const command of [100, 101, 102, 103, 104]) {
      if (!applied.includes(command)) lab.fail(`command ${command} is missing in ${applied.join(', ')}`)
    }
    return true
  })
}

export function* rejoin(lab: Lab): Script {
  yield* lab.one(101, 3, true)

  const first = yield* lab.oneLeader()
  lab.cut(first)
  for (const command of [102, 103, 104]) lab.rf(first).start(command) // which cannot be committed
  yield* lab.one(103, 2, true)

  const second = yield* lab.oneLeader()
  lab.cut(second)
  lab.connect(first)
  yield* lab.one(104, 2, true)

  lab.connect(second)
  yield* lab.one(105, 3, true)
}

export function* backup(lab: Lab): Script {
  const fifty = function* (servers: number): Script {
    for (let i = 0; i < 50; i++) yield* lab.one(lab.command(), servers, true)
  }
  const fiftyDead = (leader: number): void => {
    for (let i = 0; i < 50; i++) lab.rf(leader).start(lab.command())
  }

  yield* lab.one(lab.command(), 5, true)
  const first = yield* lab.oneLeader()
  const [a, b, c, d] = [1, 2, 3, 4].map((n) => lab.next(first, n)) as [number, number, number, number]
  lab.cut(b, c, d)
  fiftyDead(first)
  yield 500
  lab.cut(first, a)

  lab.connect(b, c, d)
  yield* fifty(3)

  const second = yield* lab.oneLeader()
  const other = [b, c, d].find((i) => i !== second)!
  lab.cut(other)
  fiftyDead(second)
  yield 500

  // The first leader and its follower come back, and only one of those that know better.
  lab.cut(...lab.all)
  lab.connect(first, a, other)
  yield* fifty(3)

  lab.connect(...lab.all)
  yield* lab.one(lab.command(), 5, true)
}

export function* count(lab: Lab): Script {
  const requests = (): number => lab.all.reduce((sum, i) => sum + lab.network.requestsTo(i), 0)
  yield* lab.oneLeader()
  const forElection = requests()
  if (forElection < 1 || forElection > 30) lab.fail(`${forElection} RPCs to elect the first leader`)

  yield* inOneTerm(lab, function* (): Script<boolean> {
    const leader = yield* lab.oneLeader()
    const before = requests()
    const commands = Array.from({ length: 12 }, () => lab.command())
    const started = commands.map((command) => lab.rf(leader).start(command))
    const { term, index: first } = started[0]!
    if (started.some(({ isLeader, term: of }) => !isLeader || of !== term)) return false
    if (started.some(({ index }, i) => index !== first + i)) lab.fail('the indexes of a burst do not follow each other')

    for (let i = 0; i < 12; i++) {
      const command = yield* lab.wait(first + i, 3, term)
      if (command === undefined) return false
      if (command !== commands[i]) lab.fail(`wrong value ${command} at index ${first + i}`)
    }
    if (lab.all.some((i) => lab.rf(i).getState().term !== term)) return false
    const forBurst = requests() - before
    if (forBurst > (10 + 1 + 3) * 3) lab.fail(`${forBurst} RPCs for 12 commands`)
    return true
  })

  const before = requests()
  yield 1_000
  const idle = requests() - before
  if (idle > 3 * 20) lab.fail(`${idle} RPCs in an idle second`)
}
