import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { either } from 'fp-ts'
import type { Address } from '../../src/raft/state/address.js'
import {
  type Configuration,
  isVoter,
  type Member,
  members,
  versionOf,
  votersOnly,
  voterSets,
  withIncarnations,
} from '../../src/raft/state/configuration.js'
import { commandEntry, configurationEntry, configurationOf, noopEntry } from '../../src/raft/state/entry.js'
import { type Incarnation, nodeId, term } from '../../src/raft/ids.js'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))

const address: fc.Arbitrary<Address> = fc.record({
  host: fc.oneof(fc.stringMatching(/^[!-~]{1,253}$/), fc.constantFrom('10.0.0.1', '::1', 'n1.example')),
  port: fc.integer({ min: 1, max: 65_535 }),
})
const member: fc.Arbitrary<Member> = fc.record(
  {
    id: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/).map(nodeId),
    incarnation: fc.option(fc.stringMatching(/^[0-9a-f]{32}$/).map((digits) => digits as Incarnation)),
    peerAddress: address,
    clientAddress: address,
  },
  { requiredKeys: ['id', 'incarnation'] },
)
const version = fc.integer({ min: 1, max: 9 })
const half = fc
  .record({ version, voters: fc.array(member, { maxLength: 4 }), learners: fc.array(member, { maxLength: 2 }) })
  .map((it) => ({ _tag: 'Simple' as const, ...it }))
const configuration: fc.Arbitrary<Configuration> = fc.oneof(
  half,
  fc.record({ old: half, new: half }).map((it) => ({ _tag: 'Joint' as const, ...it })),
)

describe('entries', () => {
  it('know the size of their command', () => {
    expect(commandEntry(term(2), ascii('abc'))).toEqual({ term: 2, kind: 'command', size: 3, command: ascii('abc') })
    expect(noopEntry(term(2))).toEqual({ term: 2, kind: 'noop', size: 0, command: new Uint8Array(0) })
  })

  it('a configuration comes out of an entry as it went in', () => {
    fc.assert(
      fc.property(configuration, (it) => {
        const entry = configurationEntry(term(7), it)
        expect(entry.size).toBe(entry.command.length)
        expect(configurationOf(entry.command)).toEqual(either.right(it))
      }),
    )
  })

  it.each([
    { bytes: '', why: 'not JSON' },
    { bytes: '{"_tag":"Simple"', why: 'not JSON' },
    { bytes: 'null', why: 'not a configuration' },
    { bytes: '{}', why: 'not a configuration' },
    { bytes: '{"_tag":"Simple","voters":[{"id":"N 1","incarnation":null}],"learners":[]}', why: 'not a configuration' },
    { bytes: '{"_tag":"Simple","voters":[{"id":"n1","incarnation":"00"}],"learners":[]}', why: 'not a configuration' },
    ...[
      ['an address without a port', '"peerAddress":{"host":"h"}'],
      ['port 0', '"peerAddress":{"host":"h","port":0}'],
      ['a port above 65,535', '"clientAddress":{"host":"h","port":65536}'],
      ['no host', '"clientAddress":{"host":"","port":1}'],
      ['a host with a space', '"peerAddress":{"host":"a b","port":1}'],
      ['a host of 254 bytes', `"peerAddress":{"host":"${'h'.repeat(254)}","port":1}`],
    ].map(([, field]) => ({
      bytes: `{"_tag":"Simple","voters":[{"id":"n1","incarnation":null,${field}}],"learners":[]}`,
      why: 'not a configuration',
    })),
    { bytes: '{"_tag":"Simple","version":0,"voters":[],"learners":[]}', why: 'not a configuration' },
    { bytes: '{"_tag":"Joint","old":{"_tag":"Simple","voters":[],"learners":[]}}', why: 'not a configuration' },
  ])('$bytes is $why', ({ bytes, why }) => {
    expect(configurationOf(ascii(bytes))).toEqual(either.left(why))
  })

  it('any bytes are a configuration or are refused, and nothing else comes with it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(ascii)), (bytes) => {
        expect(either.isLeft(configurationOf(bytes))).toBe(true)
      }),
    )
    const more = '{"_tag":"Simple","voters":[],"learners":[],"__proto__":{"polluted":true},"more":1}'
    expect(configurationOf(ascii(more))).toEqual(either.right({ _tag: 'Simple', version: 1, voters: [], learners: [] }))
  })
})

describe('who takes part (§6)', () => {
  const peerAddress = { host: '10.0.0.1', port: 7501 }
  const clientAddress = { host: 'n1.example', port: 7401 }

  it('a voter brings its addresses, and keeps them when a leader learns its data directory', () => {
    const incarnation = 'a'.repeat(32) as Incarnation
    const made = votersOnly([{ id: nodeId('n2'), peerAddress, clientAddress }, nodeId('n1')])
    expect(made.voters).toEqual([
      { id: 'n1', incarnation: null },
      { id: 'n2', incarnation: null, peerAddress, clientAddress },
    ])
    expect(withIncarnations(made, [{ id: nodeId('n2'), incarnation }])).toEqual({
      ...made,
      voters: [made.voters[0], { id: 'n2', incarnation, peerAddress, clientAddress }],
    })
  })

  it('the version of a joint configuration is the older one, since both halves decide', () => {
    const of = (version: number) => ({ ...votersOnly([nodeId('n1')]), version })
    expect(versionOf(of(3))).toBe(3)
    expect(versionOf({ _tag: 'Joint', old: of(3), new: of(2) })).toBe(2)
  })

  const simple = (voters: ReadonlyArray<string>, learners: ReadonlyArray<string> = []) => ({
    _tag: 'Simple' as const,
    version: 1,
    voters: voters.map((id) => ({ id: nodeId(id), incarnation: null })),
    learners: learners.map((id) => ({ id: nodeId(id), incarnation: null })),
  })
  const memory = (id: string) => ({ id: nodeId(id), incarnation: null })
  const joint: Configuration = { _tag: 'Joint', old: simple(['n1', 'n2', 'n3'], ['n9']), new: simple(['n3', 'n10']) }

  it('everyone who is named votes, once, by name', () => {
    expect(votersOnly(['n2', 'n10', 'n1', 'n2'].map(nodeId))).toEqual(simple(['n1', 'n10', 'n2']))
  })

  it('learners receive the log and do not vote (thesis §4.2.1)', () => {
    expect(members(simple(['n1'], ['n2']))).toEqual(['n1', 'n2'])
    expect(voterSets(simple(['n1'], ['n2']))).toEqual([['n1']])
    expect(isVoter(simple(['n1'], ['n2']), memory('n2'))).toBe(false)
  })

  it('"agreement … requires separate majorities from both the old and new configurations"', () => {
    expect(voterSets(joint)).toEqual([
      ['n1', 'n2', 'n3'],
      ['n3', 'n10'],
    ])
    expect(members(joint)).toEqual(['n1', 'n10', 'n2', 'n3', 'n9'])
    expect(['n1', 'n3', 'n10', 'n9'].map((id) => isVoter(joint, memory(id)))).toEqual([true, true, true, false])
  })
})
