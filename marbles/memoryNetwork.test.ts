import { describe, expect, it } from '@jest/globals'
import { from, type Observable, tap } from 'rxjs'
import { messageSeq, nodeId, term } from '../src/raft/ids.js'
import type { Message } from '../src/raft/messages.js'
import { memoryNetwork } from '../streams/network/memory/memoryNetwork.js'
import type { Network, NetworkEvent } from '../streams/network/network.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

/** A message of n1 to n2 that tells itself from others by its number. */
const message = (re: number, to = 'n2'): Message => ({
  _tag: 'RequestVoteReply',
  from: nodeId('n1'),
  to: nodeId(to),
  re: messageSeq(re),
  term: term(1),
  voteGranted: true,
})

const sent = { a: message(1), b: message(2), c: message(3), x: message(4, 'n3') }
const event = (m: Message): NetworkEvent => ({ _tag: 'Received', message: m })
const arrived = {
  a: event(sent.a),
  b: event(sent.b),
  c: event(sent.c),
  x: event(sent.x),
  u: { _tag: 'Unreachable', peer: nodeId('n2') } as NetworkEvent,
}
const join = (network: Network, message$: Observable<Message>): Observable<NetworkEvent> => from(network(message$))

describe('memoryNetwork', () => {
  marbles(
    'carries what is sent to whom it is for, and keeps its order',
    ({ cold, hot, scheduler, expectObservable, expectSubscriptions }) => {
      const network = memoryNetwork({ scheduler })
      const message$ = hot('--a--(bcx)-c--', sent)
      const n1 = '          -------------!'
      const atN2 = '        --a--(bc)--c--'
      const atN3 = '        -----x--------'
      expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
      expectObservable(join(network.join('n3'), cold<Message>('-'))).toBe(atN3, arrived)
      expectObservable(join(network.join('n1'), message$), n1).toBe('-')
      expectSubscriptions(message$.subscriptions).toBe('^------------!')
    },
  )

  marbles('delivers nothing within the call that sent it', ({ cold, hot, scheduler, expectObservable }) => {
    const network = memoryNetwork({ scheduler })
    const story: string[] = []
    const message$ = hot('--(ab)', sent).pipe(tap(({ _tag }) => story.push(`calling ${_tag}`)))
    expectObservable(join(network.join('n2'), cold<Message>('-')).pipe(tap(() => story.push('delivered')))).toBe('--(ab)', arrived)
    expectObservable(join(network.join('n1'), message$)).toBe('-')
    scheduler.schedule(() => expect(story).toEqual(['calling RequestVoteReply', 'calling RequestVoteReply', 'delivered', 'delivered']), 9)
  })

  marbles('takes its time, and a message that is slower holds up those behind it', ({ cold, hot, scheduler, expectObservable }) => {
    const dice = [0.99, 0, 0.5]
    const network = memoryNetwork({ scheduler, delayMs: { min: 2, max: 6 }, random: () => dice.shift() ?? 0 })
    const message$ = hot('--a-b-----c--', sent) // a takes 6 ms, b would take 2, c takes 4
    const atN2 = '        --------(ab)--c--'
    expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
    expectObservable(join(network.join('n1'), message$)).toBe('-')
  })

  marbles('lets messages overtake each other where that is asked for', ({ cold, hot, scheduler, expectObservable }) => {
    const dice = [0, 0.5, 0.9] // a is held back, for 3 of 1 to 5 ms; b is not
    const network = memoryNetwork({ scheduler, reordering: 0.1, delayMs: { min: 5, max: 5 }, random: () => dice.shift() ?? 0.9 })
    const message$ = hot('--ab---------', sent)
    const atN2 = '        --------b-a--'
    expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
    expectObservable(join(network.join('n1'), message$)).toBe('-')
    scheduler.schedule(() => expect(network.stats).toMatchObject({ sent: 2, delivered: 2, reordered: 1 }), 20)
  })

  marbles('loses and doubles as the dice say, and tells nobody', ({ cold, hot, scheduler, expectObservable }) => {
    const dice = [0, /* b: */ 0.5, 0, /* c: */ 0.5, 0.5]
    const network = memoryNetwork({ scheduler, loss: 0.1, duplication: 0.2, random: () => dice.shift()! })
    const message$ = hot('--a--b---c--', sent)
    const atN2 = '        -----(bb)c--'
    expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
    expectObservable(join(network.join('n1'), message$)).toBe('-')
    scheduler.schedule(() => expect(network.stats).toMatchObject({ sent: 3, delivered: 3, lost: 1, duplicated: 1 }), 20)
  })

  marbles(
    'swallows what meets a cut, under way or at the start, and nothing after it has healed',
    ({ cold, hot, scheduler, expectObservable }) => {
      const network = memoryNetwork({ scheduler, delayMs: { min: 2, max: 2 } })
      const message$ = hot('--a-b--c--', sent) // a is under way when the link is cut
      const atN2 = '        ---------c'
      scheduler.schedule(() => network.cut('n1', 'n2'), 3)
      scheduler.schedule(() => network.heal(), 6)
      expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
      expectObservable(join(network.join('n1'), message$)).toBe('-')
      scheduler.schedule(() => expect(network.stats).toMatchObject({ sent: 3, delivered: 1, cut: 2 }), 20)
    },
  )

  marbles('is Unreachable where nobody is there, once a turn', ({ cold, hot, scheduler, expectObservable }) => {
    const network = memoryNetwork({ scheduler })
    const message$ = hot('--(ab)--c---a--', sent)
    const n2 = '          --------^--!'
    const atN1 = '        --u---------u--'
    const atN2 = '        --------c--'
    expectObservable(join(network.join('n1'), message$)).toBe(atN1, arrived)
    expectObservable(join(network.join('n2'), cold<Message>('-')), n2).toBe(atN2, arrived)
  })

  marbles('drops the newest at its bound and says so; up to the bound it does not', ({ cold, hot, scheduler, expectObservable }) => {
    const network = memoryNetwork({ scheduler, delayMs: { min: 3, max: 3 }, maxInFlight: 2 })
    const message$ = hot('--(ab)----(abc)--', sent)
    const atN1 = '        ----------u------'
    const atN2 = '        -----(ab)----(ab)'
    expectObservable(join(network.join('n2'), cold<Message>('-'))).toBe(atN2, arrived)
    expectObservable(join(network.join('n1'), message$)).toBe(atN1, arrived)
  })

  marbles('refuses a second server of the same name', ({ cold, scheduler, expectObservable }) => {
    const network = memoryNetwork({ scheduler })
    const error = {
      _tag: 'AddressInUse',
      message: 'n1 is in this network already: stop the one that runs, or give this server another id.',
    }
    expectObservable(join(network.join('n1'), cold<Message>('-')), '  ^----!').toBe('-----')
    expectObservable(join(network.join('n1'), cold<Message>('-')), '  --^--!').toBe('--#', {}, error)
    expectObservable(join(network.join('n1'), cold<Message>('-')), '  -----^').toBe('-')
  })

  marbles('passes an error of its server on', ({ cold, scheduler, expectObservable }) => {
    expectObservable(join(memoryNetwork({ scheduler }).join('n1'), cold<Message>('--#'))).toBe('--#')
  })
})
