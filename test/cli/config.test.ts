import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { configOf, type Sources } from '../../cli/config/config.js'

const nothing: Sources = { file: null, env: {}, flags: {} }
const file = (settings: unknown): Sources['file'] => ({ name: 'rxraft.config.json', text: JSON.stringify(settings) })

describe('configuration', () => {
  it('needs none', () => {
    expect(configOf(nothing)).toEqual(either.right({}))
  })

  it('is the file, over it the environment, over it flags', () => {
    const layered = configOf({
      file: file({ data: 'of-file', portBase: 1000, timeoutMs: 1 }),
      env: { RXRAFT_PORT_BASE: '2000', RXRAFT_TIMEOUT_MS: '2', PORT_BASE: '9', RXRAFT_DATA: '' },
      flags: { timeoutMs: '3' },
    })
    expect(layered).toEqual(either.right({ data: 'of-file', portBase: 2000, timeoutMs: 3 }))
  })

  it('has the same values as JSON and as text', () => {
    const peers = [
      { id: 'n1', host: '10.0.0.1', peerPort: 7501, httpPort: 7401 },
      { id: 'n2', host: '::1', peerPort: 7502, httpPort: 7402 },
    ]
    const endpoints = ['http://a:1', 'http://b:2']
    const expected = either.right({ peers, endpoints, hostNames: ['db.example', 'db'], electionTimeoutMs: { min: 300, max: 600 } })
    const asJson = {
      peers: ['n1=10.0.0.1:7501/7401', 'n2=[::1]:7502/7402'],
      endpoints: ['a:1', 'http://b:2/'],
      hostNames: ['db.example', 'db'],
      electionTimeoutMs: { min: 300, max: 600 },
    }
    const asText = {
      peers: 'n1=10.0.0.1:7501/7401, n2=[::1]:7502/7402',
      endpoints: 'a:1,http://b:2/',
      hostNames: 'db.example, db',
      electionTimeoutMs: '300-600',
    }
    expect(configOf({ ...nothing, file: file(asJson) })).toEqual(expected)
    expect(configOf({ ...nothing, flags: asText })).toEqual(expected)
  })

  it.each([
    [{ file: file({ portBase: '7400' }) }, 'rxraft.config.json: portBase is "7400", not a port from 1 to 65,000'],
    [{ file: file({ peers: ['n1=h:1/2', 'n2'] }) }, 'rxraft.config.json: peers/1 is "n2", not NAME=HOST:PEER-PORT/HTTP-PORT'],
    [
      { file: file({ peers: 'n1=h:1/2' }) },
      'rxraft.config.json: peers is "n1=h:1/2", not a list of servers in which each has a name of its own',
    ],
    [
      { file: file({ electionTimeoutMs: { min: 3.5, max: 600 } }) },
      'rxraft.config.json: electionTimeoutMs/min is 3.5, not a whole number of milliseconds from 1 to 3,600,000',
    ],
    [
      { file: file({ electionTimeoutMs: { max: 600 } }) },
      'rxraft.config.json: electionTimeoutMs/min is missing, not a whole number of milliseconds from 1 to 3,600,000',
    ],
    [{ file: file([]) }, 'rxraft.config.json holds [], not an object of settings'],
    [{ file: file({ ports: 1 }) }, /^rxraft\.config\.json: ports is no setting; there are id, cluster, peers, /],
    [{ file: { name: 'c.json', text: '{"id": }' } }, /^c\.json is no JSON: Unexpected token/],
    [{ env: { RXRAFT_HOST_NAMES: 'http://db' } }, 'RXRAFT_HOST_NAMES/0 is "http://db", not a host name without scheme and port'],
    [{ env: { RXRAFT_ID: 'N1' } }, 'RXRAFT_ID is "N1", not a name of a-z, 0-9, ".", "_" and "-", at most 64'],
    [{ env: { RXRAFT_PEERS: 'n1=h:0/2' } }, 'RXRAFT_PEERS/0 is "n1=h:0/2", not NAME=HOST:PEER-PORT/HTTP-PORT'],
    [{ flags: { portBase: '70000' } }, '--port-base is 70000, not a port from 1 to 65,000'],
    [{ flags: { timeoutMs: 'soon' } }, '--timeout-ms is "soon", not a whole number of milliseconds from 1 to 3,600,000'],
    [
      { flags: { electionTimeoutMs: '600-300' } },
      '--election-timeout-ms is {"min":600,"max":300}, not MIN-MAX in milliseconds, with MIN not above MAX',
    ],
    [{ flags: { endpoints: 'localhost' } }, '--endpoints/0 is "localhost", not HOST:PORT or http://HOST:PORT'],
    [{ flags: { peers: 'n1=h:1/2,n1=h:3/4' } }, /^--peers is \[.*, not a list of servers in which each has a name of its own$/],
  ] as const)('%j is refused', (sources, sentence) => {
    const config = configOf({ ...nothing, ...sources })
    const [told = '', ...more] = either.isLeft(config) ? config.left : []
    expect(more).toEqual([])
    expect(told).toMatch(sentence) // a text: contains it
  })

  it('tells every mistake at once', () => {
    const config = configOf({ file: file({ portBase: -1, id: 'n1' }), env: { RXRAFT_TIMEOUT_MS: 'x' }, flags: { id: '!' } })
    expect(either.isLeft(config) && config.left).toEqual([
      expect.stringContaining('rxraft.config.json: portBase is -1'),
      expect.stringContaining('RXRAFT_TIMEOUT_MS is "x"'),
      expect.stringContaining('--id is "!"'),
    ])
  })
})
