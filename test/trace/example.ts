import { merge } from 'rxjs'
import { createRaft, memoryNetwork, memoryStorage, VirtualScheduler } from 'rxraft'
import { acceptsTrace, record, replay, trace, type Recording, type TraceLine } from 'rxraft/testing'

const cluster = ['n1', 'n2', 'n3']
const scheduler = new VirtualScheduler()
const network = memoryNetwork({ scheduler, delayMs: { min: 1, max: 5 } })
const servers = cluster.map((id) => createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), scheduler }))
export const lines: TraceLine[] = []
export const recordings: Recording[] = []
for (const { inspect$ } of servers) inspect$.pipe(record()).subscribe((recording) => recordings.push(recording))
merge(...servers.map(({ inspect$ }) => inspect$.pipe(trace()))).subscribe((line) => lines.push(line))
for (const server of servers) server.start()
scheduler.runUntil(2_000)
for (const server of servers) server.close()
export const verdict = acceptsTrace(lines) // { _tag: 'Accepted', lines: … }
export const again = replay(recordings[0]!) // { _tag: 'Same', steps: … }
