import { describe, expect, it } from '@jest/globals'
import { map, take } from 'rxjs'
import { printStep } from '../../src/raft/print.js'
import { leaderAmong } from '../../streams/server/leaderAmong.js'
import { alone, cluster, leading, now, seen, type Server, story } from './cluster.js'

const commands = (server: Server): string[] => seen(server.apply$, ({ index, command }) => `${index} ${command}`)
const numbered = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => `${from + i} c${i}`)

describe('three servers', () => {
  it('elect one of them, whom all know', () => {
    const { servers, elect } = cluster()
    const { leader } = elect()
    expect(servers.map(({ leader$ }) => now(leader$))).toEqual([leader.id, leader.id, leader.id])
    expect(servers.map(({ role$ }) => now(role$)).sort()).toEqual(['Follower', 'Follower', 'Leader'])
    expect(now(leaderAmong(servers))).toBe(leader)
  })

  it('tell the story of a command, and apply it everywhere', () => {
    const { servers, elect, run } = cluster()
    const { leader } = elect()
    const applied = servers.map(commands)
    const told = story(leader.propose('hello'))
    expect(told).toEqual([])
    run(500)
    expect(told).toEqual(['Appended 2', 'Committed 2', 'Applied 2 HELLO', '|'])
    expect(applied).toEqual([['2 hello'], ['2 hello'], ['2 hello']])
  })

  it('apply what is proposed in one order, through loss, doubling and reordering', () => {
    const { servers, network, elect, run } = cluster({ network: { loss: 0.05, duplication: 0.05, reordering: 0.1 } })
    const { leader } = elect()
    const applied = servers.map(commands)
    const told = numbered(0, 50).map((_, i) => {
      run(10)
      return story(leader.propose(`c${i}`))
    })
    run(5_000)
    expect(told.map((events) => events.at(-2))).toEqual(told.map((_, i) => `Applied ${i + 2} C${i}`))
    expect(applied).toEqual([1, 2, 3].map(() => numbered(2, 50)))
    const { lost, duplicated, reordered } = network.stats
    expect(Math.min(lost, duplicated, reordered)).toBeGreaterThan(0)
  })

  it('refuse a command where nobody leads, and say who does', () => {
    const { elect, run } = cluster()
    const { leader, followers } = elect()
    const told = followers.map((follower) => story(follower.propose('hello')))
    run(1)
    expect(told).toEqual([1, 2].map(() => [`NotLeader ${leader.id}`, '|']))
  })

  it('do not know what becomes of what a deposed leader had appended', () => {
    const { network, servers, elect, run } = cluster()
    const { leader, followers } = elect()
    network.isolate(leader.id)
    const lost = story(leader.propose('lost'))
    run(3_000)
    expect(lost).toEqual(['Appended 2'])
    const kept = story(leading(followers).propose('kept'))
    run(500)
    expect(kept.at(-2)).toBe('Applied 3 KEPT')
    const applied = commands(leader)
    network.heal()
    run(500)
    expect(lost).toEqual(['Appended 2', 'Indeterminate 2', '|'])
    expect(applied).toEqual(['3 kept'])
    expect(new Set(servers.map(({ leader$ }) => now(leader$))).size).toBe(1)
  })

  it('go on without one of them, which catches up when it comes back, from its own disk', () => {
    const { servers, create, elect, run } = cluster()
    const { leader, followers } = elect()
    story(leader.propose('c0'))
    run(500)
    followers[0]!.kill()
    story(leader.propose('c1'))
    run(500)
    const again = create(followers[0]!.id)
    const applied = commands(again)
    again.start()
    run(1_000)
    expect(applied).toEqual(numbered(2, 2))
    expect(servers.map(({ state$ }) => now(state$)?.log.lastIndex)).toContain(3)
  })

  it('the same seed twice is the same history; another seed is another', () => {
    const history = (seed: number): string => {
      const { servers, run } = cluster({ seed, network: { loss: 0.05, duplication: 0.05, reordering: 0.1 }, storage: { writeMs: 2 } })
      const lines: string[] = []
      for (const server of servers) {
        server.inspect$.subscribe(({ at, event, after, effects }) => lines.push(`${at} ${printStep(event, { server: after, effects })}`))
        server.start()
      }
      for (let i = 0; i < 20; i++) {
        run(150)
        for (const server of servers) server.propose(`c${i}`)
      }
      return lines.join('\n')
    }
    expect(history(7).length).toBeGreaterThan(10_000)
    expect(history(7)).toBe(history(7))
    expect(history(8)).not.toBe(history(7))
  })
})

describe('apply$', () => {
  it('has each command once, in order, from when it is subscribed to on', () => {
    const { elect, run } = cluster()
    const { leader, followers } = elect()
    leader.propose('early')
    run(500)
    const applied = commands(followers[0]!)
    for (let i = 0; i < 5; i++) leader.propose(`c${i}`)
    run(500)
    expect(applied).toEqual(numbered(3, 5))
  })

  it('applyFrom begins where it is told, without a gap and without a double, whenever it is asked', () => {
    const { lead, run } = alone()
    const server = lead()
    const from = (index: number): string[] => seen(server.applyFrom(index), ({ index, command }) => `${index} ${command}`)
    const before = [from(0), from(4), from(99)]
    const within: string[][] = []
    // Asked for while the command is being applied, before and after others heard of it.
    server.apply$.subscribe(({ index }) => {
      if (index === 3) within.push(from(0), from(3), from(4))
    })
    for (let i = 0; i < 6; i++) server.propose(`c${i}`)
    run(10)
    const after = [from(0), from(4), from(99)]
    server.propose('c6')
    run(10)
    const all = numbered(2, 7)
    expect(before).toEqual([all, all.slice(2), []])
    expect(within).toEqual([all, all.slice(1), all.slice(2)])
    expect(after).toEqual([all, all.slice(2), []])
  })

  it('applyFrom gives no more than is asked for', () => {
    const { lead, run } = alone()
    const server = lead()
    for (let i = 0; i < 6; i++) server.propose(`c${i}`)
    run(10)
    expect(
      seen(
        server.applyFrom(3).pipe(
          take(2),
          map(({ index }) => index),
        ),
      ),
    ).toEqual([3, 4, '|'])
  })
})

describe('proposing', () => {
  it('from within apply$ is like any other', () => {
    const { elect, run } = cluster()
    const { leader } = elect()
    const applied = commands(leader)
    const stories: string[][] = []
    leader.apply$.subscribe(({ command }) => {
      if (command.length < 4) stories.push(story(leader.propose(`${command}i`)))
    })
    leader.propose('h')
    run(1_000)
    expect(applied).toEqual(['2 h', '3 hi', '4 hii', '5 hiii'])
    expect(stories.map((events) => events.at(-2))).toEqual(['Applied 3 HI', 'Applied 4 HII', 'Applied 5 HIII'])
  })

  it('from within state$ too: at the very step that makes a server leader', () => {
    const { servers, elect } = cluster()
    const stories: string[][] = []
    for (const server of servers) {
      server.state$.pipe(map(({ role }) => role._tag)).subscribe((role) => {
        if (role === 'Leader' && stories.length === 0) stories.push(story(server.propose('first')))
      })
    }
    elect()
    expect(stories).toEqual([['Appended 2', 'Committed 2', 'Applied 2 FIRST', '|']])
  })

  it('happens at the call: unsubscribing does not undo it, and subscribing does not repeat it', () => {
    const { servers, elect, run } = cluster()
    const { leader } = elect()
    const applied = commands(leader)
    leader.propose('unwatched')
    const proposal = leader.propose('watched')
    proposal.subscribe().unsubscribe()
    proposal.subscribe()
    run(500)
    proposal.subscribe()
    run(500)
    expect(applied).toEqual(['2 unwatched', '3 watched'])
    expect(servers.map(({ state$ }) => now(state$)?.log.lastIndex)).toEqual([3, 3, 3])
  })

  it('a burst is one message to each follower', () => {
    const { elect, run } = cluster()
    const { leader } = elect()
    run(90)
    const sent: number[] = []
    leader.inspect$.subscribe(({ effects }) => {
      for (const effect of effects)
        if (effect._tag === 'Send' && effect.message._tag === 'AppendEntries' && effect.message.entries.length > 0)
          sent.push(effect.message.entries.length)
    })
    for (let i = 0; i < 100; i++) leader.propose(`c${i}`)
    run(50)
    expect(sent).toEqual([100, 100])
  })
})
