import { VirtualScheduler } from 'rxraft'
import { labNetwork, make, memoryPersister } from 'rxraft/lab'

const scheduler = new VirtualScheduler() // left out, everything runs on the real clock
const network = labNetwork({ servers: 3, scheduler })
const servers = [0, 1, 2].map((me) => {
  const applyCh = { next: (msg: unknown) => console.log(me, msg) }
  const rf = make(network.ends(me), me, memoryPersister(), applyCh, { scheduler })
  network.serve(me, (request) => rf.receive(request)) // calls go out by the ends, and come in here
  return rf
})

scheduler.runUntil(5_000) // "elect a leader within five seconds"
const leader = servers.find((rf) => rf.getState().isLeader)
console.log(leader?.start('hello')) // { index: 1, term: …, isLeader: true }, at once
scheduler.runUntil(5_100) // three times { commandValid: true, …, command: 'hello', commandIndex: 1 }
