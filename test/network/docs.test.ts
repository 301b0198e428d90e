import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { tcpSettings } from '../../streams/network/tcp/options.js'
import { host, incarnationOf } from './tcp/cluster.js'

const page = readFileSync(new URL('../../docs/network.md', import.meta.url), 'utf8')

it('the page names every bound of the TCP network with its default', () => {
  const shown = new Map<string, number>()
  for (const [, names = '', values = ''] of page.matchAll(/^\| (`max[^|]+|`\w+Ms`) \| (\d[^|]*) \|/gm)) {
    const defaults = values.split(/, (?=\d+ )|(?<=\d{3}), /)
    names.split(', ').forEach((name, i) => {
      const [n = '', unit] = (defaults[i] ?? '').split(' ')
      shown.set(name.replaceAll('`', ''), Number(n.replaceAll(',', '')) * (unit === 'MiB' ? 2 ** 20 : 1))
    })
  }
  const settings = tcpSettings({ id: 'n1', clusterId: 'test', incarnation: incarnationOf('a'), listen: { host, port: 0 }, peers: {} })
  const numbers = Object.entries(settings).filter(([, value]) => typeof value === 'number')
  expect(Object.fromEntries(shown)).toEqual({ ...Object.fromEntries(numbers), maxInFlight: 16_384 })
})
