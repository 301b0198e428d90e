import { firstValueFrom, Subject } from 'rxjs'
import { checkedStep } from '../streams/core.js'
import { createRaft, leaderAmong, memoryNetwork, memoryStorage, type ProposalEvent, type Raft } from '../streams/index.js'
import { keepUnderWay, perSecond } from './measure.js'

/** Proposes `total` commands, `concurrency` at a time, each acknowledged by itself when it is applied at the leader. */
export const proposeAll = (leader: Raft, command: Uint8Array, concurrency: number, total: number): Promise<void> =>
  keepUnderWay(concurrency, total, (done, failed) => {
    const tell = (event: ProposalEvent): void => {
      if (event._tag === 'Applied') done()
      else if (event._tag !== 'Appended' && event._tag !== 'Committed') failed(new Error(`refused: ${event._tag}`))
    }
    return () => leader.propose(command).subscribe(tell)
  })

/**
 * Commits per second of three servers in this process, with a network and disks in memory. `step` is what a server does
 * with an event.
 */
export const memory = async (operations: Readonly<Record<number, number>>, step = checkedStep): Promise<Record<string, number>> => {
  const rates: Record<string, number> = {}
  for (const [concurrency, total] of Object.entries(operations)) {
    const cluster = ['n1', 'n2', 'n3']
    const network = memoryNetwork()
    const servers = cluster.map((id) =>
      createRaft<Uint8Array, unknown>({ id, network: network.join(id), storage: memoryStorage(cluster), ...{ step } }),
    )
    for (const server of servers) server.start()
    const leader = await firstValueFrom(leaderAmong(servers))
    const command = new Uint8Array(16) // shared by all entries, so that the log and not the commands fills the memory
    rates[`c${concurrency}`] = await perSecond((n) => proposeAll(leader, command, Number(concurrency), n), total)
    for (const server of servers) await firstValueFrom(server.close())
    globalThis.gc?.()
  }
  return rates
}

/** What there is to compare with: a bare RxJS Subject that carries one value to three subscribers, per second. */
export const bareSubject = (): Promise<number> =>
  perSecond((n) => {
    const value$ = new Subject<number>()
    let sum = 0
    for (let i = 0; i < 3; i++)
      value$.subscribe((value) => {
        sum += value
      })
    for (let i = 0; i < n; i++) value$.next(i)
    return sum >= 0 ? Promise.resolve() : Promise.reject(new Error('no sum'))
  }, 2_000_000)
