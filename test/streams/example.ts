import { createRaft, json, logIndex, memoryNetwork, memoryStorage, type StateMachine } from 'rxraft'
import { map, of } from 'rxjs'

const codec = json<number>()
let sum = { index: logIndex(0), result: 0 }
const stateMachine: StateMachine<number, number> = (apply$, snapshot) => {
  if (snapshot !== null) sum = { index: snapshot.index, result: codec.decode(snapshot.data) }
  return apply$.pipe(map(({ index, command }) => (sum = { index, result: sum.result + command })))
}
const snapshots = { take: () => of({ index: sum.index, data: codec.encode(sum.result) }), everyEntries: 100 }

const [network, storage] = [memoryNetwork().join('n1'), memoryStorage(['n1'])]
export const server = createRaft({ id: 'n1', network, storage, codec, stateMachine, snapshots })
server.start()
