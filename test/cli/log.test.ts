import { describe, expect, it } from '@jest/globals'
import { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Log } from '../../cli/view/log.js'

/** A reader that reads when it is told to, one write at a time. */
const reader = () => {
  const read: string[] = []
  let next: ((error?: Error) => void) | null = null
  const out = new Writable({
    autoDestroy: false,
    highWaterMark: 8,
    decodeStrings: false,
    write: (text: string, _, done) => {
      read.push(text)
      next = done
    },
  })
  return {
    out,
    read,
    /** Reads on until nothing waits. */
    readAll: async () => {
      while (next !== null) {
        const done = next as () => void
        next = null
        done()
        await setImmediate()
      }
    },
  }
}

describe('a log', () => {
  it('keeps at most so much for a slow reader, and says how many lines are missing where they are', async () => {
    const { out, read, readAll } = reader()
    const log = new Log(out, { maxWaitingBytes: 20 })
    for (let i = 0; i < 1_000; i++) log.write(`line ${i}\n`)
    expect(out.writableLength).toBeLessThan(30)
    await readAll()
    log.write('line 1000\n')
    await readAll()
    expect(read).toEqual(['line 0\n', 'line 1\n', 'line 2\n', '(997 lines are missing here: they were not read in time)\n', 'line 1000\n'])
  })

  it('drops on until all is read: one gap, one line about it', async () => {
    const { out, read, readAll } = reader()
    const log = new Log(out, { maxWaitingBytes: 10 })
    log.write('a\nb\n')
    log.write('cdefghij\n')
    log.write('lost\n')
    log.write('lost\n')
    await readAll()
    expect(read).toEqual(['a\nb\n', 'cdefghij\n', '(2 lines are missing here: they were not read in time)\n'])
  })

  it('tells of what could not be written when it can again', async () => {
    const read: string[] = []
    let full = true
    const out = new Writable({
      autoDestroy: false,
      decodeStrings: false,
      write: (text: string, _, done) => {
        if (!full) read.push(text)
        done(full ? new Error('no space left') : null)
      },
    })
    // As process.stdout, which a failed write does not end.
    const recovers = () =>
      Object.assign((out as unknown as { _writableState: object })._writableState, { errored: null, errorEmitted: false })
    out.on('error', recovers)
    const log = new Log(out)
    log.write('lost\n')
    await setImmediate()
    full = false
    log.write('kept\n')
    await setImmediate()
    expect(read).toEqual(['(1 line is missing here: they were not read in time)\n', 'kept\n'])
  })
})
