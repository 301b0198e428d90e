import { describe, expect, it } from '@jest/globals'
import { EMPTY, map, range } from 'rxjs'
import { initialView } from '../../cli/view/model.js'
import { reduce } from '../../cli/view/reduce.js'
import { type Refusal, refusals } from '../../cli/view/refusals.js'
import { toldBy } from '../../cli/view/tell.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { marblesWith } from '../../streams/testing.js'
import { seen } from '../streams/cluster.js'

const marbles = marblesWith(it)

const refusal = (from: string | null, kind: Refusal['kind'] = 'handshake'): Refusal => ({
  from,
  kind,
  reason: 'it speaks another protocol',
})
const given = { a: refusal('a'), b: refusal(null), h: refusal('h'), f: refusal('f', 'frame') }
const texts = {
  a: 'refused a: it speaks another protocol',
  b: 'refused a stranger: it speaks another protocol',
  f: 'refused f: it speaks another protocol',
  m: 'refused 3 more within 0 s: 2 of kind handshake, 1 of kind frame',
  o: 'refused 1 more within 0 s: 1 of kind frame',
}

describe('refusals', () => {
  marbles('are told one by one up to a bound, then counted', ({ hot, scheduler, expectObservable }) => {
    const refused = '-abhfh-------ab|'
    const Told = '   -ab------m---ab|'
    expectObservable(hot(refused, given).pipe(refusals({ maxLines: 2, everyMs: 8, scheduler }))).toBe(Told, texts)
  })

  marbles('begin a new interval with the first that comes', ({ hot, scheduler, expectObservable }) => {
    const refused = '-a-------bf---f---|'
    const Told = '   -a-------bf---f---|'
    expectObservable(hot(refused, given).pipe(refusals({ maxLines: 2, everyMs: 4, scheduler }))).toBe(Told, texts)
  })

  marbles('of which some were only counted are told when the source ends', ({ hot, scheduler, expectObservable }) => {
    const refused = '-abf|'
    const Told = '   -ab-(o|)'
    expectObservable(hot(refused, given).pipe(refusals({ maxLines: 2, everyMs: 100, scheduler }))).toBe(Told, texts)
  })

  it('from thousands of ports are a few lines, in the log and in the live view', () => {
    const scheduler = new VirtualScheduler()
    const rejected$ = range(0, 4_571).pipe(map((port) => ({ _tag: 'Rejected' as const, ...refusal(`127.0.0.1:${port}`) })))
    const told = seen(
      toldBy({ id: 'n1' as never, state$: EMPTY as never, metrics$: EMPTY as never, rejected$: rejected$ as never }, () => 0, scheduler),
    )
    const happened = told.filter((one) => typeof one !== 'string')
    expect(happened).toHaveLength(11)
    expect(happened.at(-1)).toMatchObject({ mood: 'Bad', text: 'refused 4,561 more within 10 s: 4,561 of kind handshake' })
    const view = happened.reduce(reduce, initialView({ title: '', hint: '', at: 0, servers: [] }))
    expect(view.notes).toHaveLength(11)
  })
})
