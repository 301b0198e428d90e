import { createRaft, json, type LogIndex, memoryNetwork, memoryStorage, type StateMachine, VirtualScheduler } from 'rxraft'
import { nodeId } from 'rxraft/core'
import { answering, observed, type Seen, seeded, seenOf, type Violation } from 'rxraft/testing'
import { map, merge, Subject } from 'rxjs'

/** Three servers that count, and a client, in three seconds of virtual time; without `scheduler` and `random` they would be live. */
export const violationsOf = (result: (count: number, at: string) => number): ReadonlyArray<Violation> => {
  const scheduler = new VirtualScheduler()
  const network = memoryNetwork({ scheduler, random: seeded(1) })
  const cluster = ['n1', 'n2', 'n3']
  const outside$ = new Subject<Seen<number>>()
  const counter = (id: string): StateMachine<number, number> => {
    let count = 0
    return (apply$) => apply$.pipe(map(({ index, command }) => ({ index, result: result((count += command), id) })))
  }
  const servers = cluster.map((id, i) =>
    createRaft<number, number>({
      id,
      network: network.join(id),
      storage: memoryStorage(cluster),
      codec: json(),
      stateMachine: answering(nodeId(id), counter(id), (seen) => outside$.next(seen)),
      scheduler,
      random: seeded(2 + i),
    }),
  )

  const found: Violation[] = []
  merge(outside$, ...servers.map((server) => seenOf<number, number>(server)))
    .pipe(observed())
    .subscribe((violation) => found.push(violation))

  for (const server of servers) {
    server.apply$.subscribe(({ index }) => outside$.next({ _tag: 'Watched', watcher: server.id, index }))
    server.start()
  }
  outside$.next({ _tag: 'Healed', at: scheduler.now() })

  const told = (call: number, index: LogIndex, answer: number): void =>
    outside$.next({ _tag: 'Acknowledged', client: 1, call, return: scheduler.now(), index, result: answer })
  for (let second = 1; second <= 3; second++) {
    scheduler.runUntil(second * 1_000)
    const call = scheduler.now()
    for (const server of servers)
      server.propose(1).subscribe((event) => {
        if (event._tag === 'Applied') told(call, event.index, event.result)
      })
  }
  scheduler.runUntil(4_000)
  return found
}
