import { expect, it } from '@jest/globals'
import { cluster, now } from './cluster.js'

it('a follower catches up although a round trip takes longer than many heartbeats', () => {
  const { elect, network, run } = cluster({
    network: { delayMs: { min: 40, max: 40 } },
    server: { heartbeatMs: 10, electionTimeoutMs: { min: 300, max: 600 } },
  })
  const { leader, followers } = elect()
  const last = followers.at(-1)!
  network.isolate(last.id)
  for (const command of ['a', 'b', 'c']) leader.propose(command)
  run(200)
  network.heal()
  run(1_000)
  expect(followers.map(({ state$ }) => now(state$)!.lastApplied)).toEqual([4, 4])
})
