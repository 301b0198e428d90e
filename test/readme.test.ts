import { readFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const example = read('examples/hello.ts')

it('the README shows examples/hello.ts, in at most 15 lines', () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(read('README.md'))?.[1]
  expect(shown).toBe(example)
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
})

it('and it runs: three servers apply the command that was proposed', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined)
  await import('../examples/hello.js')
  expect(log.mock.calls).toEqual([[[1, 2, 3].map(() => ({ index: 2, term: expect.any(Number), command: 'hello' }))]])
  log.mockRestore()
})
