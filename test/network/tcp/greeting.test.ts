import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import type { Incarnation, NodeId } from '../../../src/raft/ids.js'
import {
  greetingTo,
  helloFrame,
  objection,
  readClose,
  readGreeting,
  type Acquaintances,
  type Greeting,
} from '../../../streams/network/tcp/greeting.js'
import { settled } from '../../../streams/network/tcp/options.js'
import { greeting, host, incarnationOf } from './cluster.js'

const settings = settled({
  id: 'n1',
  clusterId: 'test',
  incarnation: incarnationOf('a'),
  listen: { host, port: 0 },
  peers: { n2: { host, port: 1 } },
  constants: { electionTimeoutMinMs: 300 },
})
const constants = { ...greeting.constants, electionTimeoutMinMs: 300 }
const good: Greeting = { ...greeting, constants }
const bytes = (json: unknown): Uint8Array => Buffer.from(JSON.stringify(json))

describe('a greeting', () => {
  it('is on the wire as it always was', () => {
    expect(
      Buffer.from(helloFrame(greetingTo('n2' as NodeId, settings)))
        .subarray(5)
        .toString(),
    ).toBe(
      '{"rxraft":1,"clusterId":"test","from":"n1","incarnation":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to":"n2",' +
        '"constants":{"electionTimeoutMinMs":300,"maxFrameBytes":16777216}}',
    )
  })

  it('is read back, with whatever a later version may add', () => {
    expect(readGreeting(bytes({ ...good, later: true }), settings)).toEqual(either.right({ ...good, later: true }))
  })

  it.each([
    ['no JSON', Buffer.from('{'), 'the greeting is not understood: it is no JSON'],
    ['no greeting', bytes(null), 'the greeting is not understood: Greeting is null, not Greeting'],
    [
      'a wrong field',
      bytes({ ...good, incarnation: 'xyz' }),
      'the greeting is not understood: incarnation is a string of 3 characters, not Incarnation',
    ],
    [
      'another version, whatever else it says',
      bytes({ rxraft: 2, hello: 'n1' }),
      'n1 speaks version 1 of the protocol and was greeted in version 2: run versions of rxraft that understand each other.',
    ],
  ])('that is %s is refused', (_, payload, reason) => {
    expect(readGreeting(payload, settings)).toEqual(either.left(reason))
  })

  it('of any bytes never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Uint8Array.from(Buffer.from(text))),
        ),
        (noise) => {
          expect(either.isLeft(readGreeting(noise, settings))).toBe(true)
          expect(typeof readClose(noise).reason).toBe('string')
        },
      ),
    )
  })
})

describe('an objection', () => {
  const met = (): Acquaintances => new Map()

  it('is not raised where nothing is wrong', () => {
    expect(objection(good, settings, met())).toBeNull()
  })

  it.each<[string, Partial<Greeting>, string]>([
    [
      'another cluster',
      { clusterId: 'shop\u001b[2J' },
      'n1 belongs to cluster "test" and n2 to cluster "shop\\u001b[2J": correct the address that leads from one to the other.',
    ],
    ['another receiver', { to: 'n3' }, 'this is n1, but n2 meant to reach "n3": correct the address that n2 has for it.'],
    [
      'our own name',
      { from: 'n1' as NodeId },
      'there are two servers called n1: stop one of them, or give it another id and data directory.',
    ],
    ['a stranger', { from: 'n9' as NodeId }, 'n9 is not among the peers of n1: add it there, or correct the id of n9.'],
    [
      'a stranger with the name of a function',
      { from: 'constructor' as NodeId },
      'constructor is not among the peers of n1: add it there, or correct the id of constructor.',
    ],
    [
      'another constant',
      { constants: { ...constants, electionTimeoutMinMs: 150 } },
      'electionTimeoutMinMs is 300 at n1 and 150 at n2: give all servers of the cluster the same.',
    ],
    [
      'a missing constant',
      { constants: greeting.constants },
      'electionTimeoutMinMs is 300 at n1 and not set at n2: give all servers of the cluster the same.',
    ],
    [
      'an additional constant',
      { constants: { ...constants, leases: true } },
      'leases is not set at n1 and true at n2: give all servers of the cluster the same.',
    ],
    [
      'another limit',
      { constants: { ...constants, maxFrameBytes: 5 } },
      'maxFrameBytes is 16777216 at n1 and 5 at n2: give all servers of the cluster the same.',
    ],
    [
      'a constant with the name of a prototype',
      { constants: { ...constants, ['__proto__']: 1 } },
      '__proto__ is not set at n1 and 1 at n2: give all servers of the cluster the same.',
    ],
  ])('to %s says what to do', (_, wrong, sentence) => {
    expect(objection({ ...good, ...wrong }, settings, met())).toBe(sentence)
  })

  it('is raised to a peer that comes back with another data directory, as long as this run lasts', () => {
    const b = incarnationOf('b') as Incarnation
    const known = met()
    expect(objection(good, settings, known)).toBeNull()
    expect(objection(good, settings, known)).toBeNull()
    expect(objection({ ...good, incarnation: b }, settings, known)).toBe(
      `n2 comes with the data directory ${b}, but had ${incarnationOf('a')} before. A server that lost its disk forgot its votes and must not vote as n2 again:` +
        ' start it with its former data directory, or let it join under a new id.',
    )
    expect(objection(good, settings, known)).toBeNull()
    expect(objection({ ...good, incarnation: b }, settings, met())).toBeNull()
  })

  it('does not make an acquaintance', () => {
    const known = met()
    objection({ ...good, clusterId: 'other' }, settings, known)
    expect(known.size).toBe(0)
  })
})

describe('the reason of the other end', () => {
  it('is fit for a log', () => {
    expect(readClose(bytes({ kind: 'limit', reason: `a\u001b[31m\n${'x'.repeat(10_000)}` }))).toEqual({
      kind: 'limit',
      reason: `a?[31m?${'x'.repeat(593)}`,
    })
  })

  it('may be missing', () => {
    expect(readClose(bytes({ kind: 'because' }))).toEqual({ kind: 'frame', reason: 'for a reason that is not understood' })
  })
})
