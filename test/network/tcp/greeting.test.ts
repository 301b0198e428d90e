import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import { type Incarnation, type NodeId, nodeId } from '../../../src/raft/ids.js'
import {
  commonVersion,
  type Greeting,
  greetingTo,
  helloFrame,
  objection,
  readGreeting,
  versionsOf,
} from '../../../streams/network/tcp/greeting.js'
import { advice, closeFrame, readClose } from '../../../streams/network/tcp/refusal.js'
import { tcpSettings } from '../../../streams/network/tcp/options.js'
import { greeting, host, incarnationOf } from './cluster.js'

const settings = tcpSettings({
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
      '{"rxraft":3,"oldest":3,"clusterId":"test","from":"n1","incarnation":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to":"n2",' +
        '"constants":{"electionTimeoutMinMs":300,"maxFrameBytes":16777216}}',
    )
  })

  it('is read back, with whatever a later version may add', () => {
    expect(readGreeting(bytes({ ...good, later: true }), settings)).toEqual(either.right({ ...good, later: true }))
  })

  it.each([
    ['no JSON', Buffer.from('{'), 'frame', 'the greeting is not understood: it is no JSON'],
    ['no greeting', bytes(null), 'frame', 'the greeting is not understood: Greeting is null, not Greeting'],
    [
      'a wrong field',
      bytes({ ...good, incarnation: 'xyz' }),
      'frame',
      'the greeting is not understood: incarnation is a string of 3 characters, not Incarnation',
    ],
    [
      'another version, whatever else it says',
      bytes({ rxraft: 2, hello: 'n1' }),
      'version',
      'n1 speaks version 3 of the protocol and was greeted in version 2: run versions of rxraft that understand each other.',
    ],
    [
      'only later versions',
      bytes({ ...good, rxraft: 9, oldest: 4 }),
      'version',
      'n1 speaks version 3 of the protocol and was greeted in versions 4 to 9: run versions of rxraft that understand each other.',
    ],
  ])('that is %s is refused', (_, payload, code, reason) => {
    expect(readGreeting(payload, settings)).toEqual(either.left({ code, reason }))
  })

  it.each([
    { a: [1, 3], b: [2, 5], common: 3 },
    { a: [2, 5], b: [1, 3], common: 3 },
    { a: [3, 3], b: [3, 3], common: 3 },
    { a: [1, 9], b: [4, 4], common: 4 },
    { a: [1, 2], b: [3, 4], common: null },
    { a: [3, 4], b: [1, 2], common: null },
    { a: [1, 9], b: [5, 4], common: null },
  ] as const)('offers a range of versions: of $a and $b it is $common', ({ a: [min, max], b, common }) => {
    expect(commonVersion({ min, max }, { min: b[0], max: b[1] })).toBe(common)
  })

  it('of a server that speaks newer versions too is understood', () => {
    const newer = { ...good, rxraft: 9 }
    expect(readGreeting(bytes(newer), settings)).toEqual(either.right(newer))
  })

  it('without an oldest version offers one version', () => {
    expect(versionsOf({ rxraft: 2 })).toEqual({ min: 2, max: 2 })
    expect(versionsOf({ rxraft: 5, oldest: 3 })).toEqual({ min: 3, max: 5 })
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
          expect(readClose(noise)).toBeNull()
        },
      ),
    )
  })
})

describe('an objection', () => {
  const unknown = (): null => null

  it('is not raised where nothing is wrong', () => {
    expect(objection(good, settings, unknown)).toBeNull()
  })

  it('is not raised to a server of which nothing is known: the lists admit no server and shut none out', () => {
    for (const from of ['n9', 'constructor'].map(nodeId)) expect(objection({ ...good, from }, settings, unknown)).toBeNull()
  })

  it.each<[string, Partial<Greeting>, string, string]>([
    [
      'another cluster',
      { clusterId: 'shop\u001b[2J' },
      'cluster',
      'n1 belongs to cluster "test" and n2 to cluster "shop\\u001b[2J": correct the address that leads from one to the other.',
    ],
    ['another receiver', { to: 'n3' }, 'name', 'this is n1, but n2 meant to reach "n3": correct the address that n2 has for it.'],
    [
      'our own name',
      { from: 'n1' as NodeId },
      'name',
      'there are two servers called n1: stop one of them, or give it another id and data directory.',
    ],
    [
      'another constant',
      { constants: { ...constants, electionTimeoutMinMs: 150 } },
      'constants',
      'electionTimeoutMinMs is 300 at n1 and 150 at n2: give all servers of the cluster the same.',
    ],
    [
      'a missing constant',
      { constants: greeting.constants },
      'constants',
      'electionTimeoutMinMs is 300 at n1 and not set at n2: give all servers of the cluster the same.',
    ],
    [
      'an additional constant',
      { constants: { ...constants, leases: true } },
      'constants',
      'leases is not set at n1 and true at n2: give all servers of the cluster the same.',
    ],
    [
      'another limit',
      { constants: { ...constants, maxFrameBytes: 5 } },
      'constants',
      'maxFrameBytes is 16777216 at n1 and 5 at n2: give all servers of the cluster the same.',
    ],
    [
      'a constant with the name of a prototype',
      { constants: { ...constants, ['__proto__']: 1 } },
      'constants',
      '__proto__ is not set at n1 and 1 at n2: give all servers of the cluster the same.',
    ],
  ])('to %s says what to do', (_, wrong, code, reason) => {
    expect(objection({ ...good, ...wrong }, settings, unknown)).toEqual({ code, reason })
  })

  it('is raised to a peer that comes with another data directory than the known one', () => {
    const [a, b] = [incarnationOf('a') as Incarnation, incarnationOf('b') as Incarnation]
    expect(objection(good, settings, () => a)).toBeNull()
    expect(objection({ ...good, incarnation: b }, settings, () => a)).toEqual({
      code: 'incarnation',
      reason:
        `n2 comes with the data directory ${b}, but ${a} belongs to that name. A server that lost its disk forgot its votes and must not vote as n2 again:` +
        ' start it with its former data directory.',
    })
  })
})

describe('a refusal', () => {
  const codes = ['version', 'cluster', 'name', 'constants', 'incarnation', 'timeout', 'frame', 'message', 'limit'] as const

  it.each(codes)('for %s holds its code and nothing else, and becomes advice at the other end', (code) => {
    const payload = closeFrame(code).subarray(5)
    expect(Buffer.from(payload).toString()).toBe(`{"code":"${code}"}`)
    expect(readClose(payload)).toBe(code)
    expect(advice(code, nodeId('n2'), nodeId('n1'))).toMatch(/n1.*: \w.*\.$|: .*n1.*\.$/)
  })

  it('that is not understood is one all the same', () => {
    expect(readClose(bytes({ code: 'because' }))).toBeNull()
    expect(readClose(bytes({ kind: 'limit', reason: 'an older version said so' }))).toBeNull()
    expect(advice(null, nodeId('n2'), nodeId('n1'))).toBe(
      'the reason that n1 gave is not understood: run versions of rxraft that understand each other.',
    )
  })
})
