import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import fc from 'fast-check'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { reconcile } from '../../streams/storage/disk/vote.js'
import { command, copyOf, crashedAfter, edit, errorOf, found, hardState, hasty, persist, plain, segmentOne, withDisk } from './support.js'

/*
 * A vote that is forgotten may be given twice, and two leaders elected in one term (§5.2). So it is
 * kept twice, and whichever place knows of a newer one wins.
 */

const wellFormed = fc
  .record({ term: fc.nat(3), vote: fc.constantFrom(null, 'n1', 'n2') })
  .map(({ term, vote }) => hardState(term, term === 0 ? null : vote))

describe('term and vote from two places', () => {
  it.each([
    { log: hardState(2, 'n1'), slot: hardState(2, 'n1'), is: hardState(2, 'n1'), because: 'they agree' },
    { log: hardState(2, 'n1'), slot: hardState(1, 'n3'), is: hardState(2, 'n1'), because: 'the term of the log is later' },
    { log: hardState(1, 'n1'), slot: hardState(2, null), is: hardState(2, null), because: 'the term of the slot is later' },
    { log: hardState(2, null), slot: hardState(2, 'n3'), is: hardState(2, 'n3'), because: 'the slot has a vote in the same term' },
    { log: hardState(2, 'n3'), slot: hardState(2, null), is: hardState(2, 'n3'), because: 'the log has a vote in the same term' },
  ])('$is.currentTerm $is.votedFor, since $because', ({ log, slot, is }) => {
    expect(reconcile(log, false, { number: 1, hardState: slot, durable: 0 })).toEqual(either.right(is))
  })

  it('cannot be two votes in one term', () => {
    expect(reconcile(hardState(2, 'n1'), false, { number: 1, hardState: hardState(2, 'n3'), durable: 0 })).toEqual(
      either.left('it holds a vote for n3 in term 2, and the log one for n1'),
    )
  })

  it('never lead to an earlier term than either knows, nor forget a vote that either knows in that term', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (log, slot) => {
        const result = reconcile(log, false, { number: 1, hardState: slot, durable: 0 })
        if (either.isLeft(result)) return
        const { currentTerm, votedFor } = result.right
        for (const known of [log, slot]) {
          expect(known.currentTerm).toBeLessThanOrEqual(currentTerm)
          expect(known.currentTerm === currentTerm && known.votedFor !== null ? votedFor : known.votedFor).toBe(known.votedFor)
        }
      }),
    )
  })
})

const voted = persist({ hardState: hardState(4, 'n3') })
const batches = [[persist({ hardState: hardState(3, 'n1'), entries: [command(3, 'a')] })], [voted]]

const bothSlots = (directory: string, change: (bytes: Buffer, at: number) => void): void =>
  edit(join(directory, 'vote'), (bytes) => {
    for (const at of [0, 4_096]) change(bytes, at)
    return bytes
  })

describe('the vote file', () => {
  it('holds the vote when the write of it to the log is torn, and the log then holds it too', async () => {
    const directory = await crashedAfter(batches)
    edit(segmentOne(directory), (bytes) => bytes.subarray(0, bytes.length - 1))
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 4, votedFor: 'n3', entries: [[3, 'command', 'a']] })
    rmSync(join(directory, 'vote'))
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 4, votedFor: 'n3' })
  })

  it('holds the vote, the log does not, and its segment is full: the one that follows continues the log as it stands', async () => {
    const directory = await crashedAfter(batches)
    edit(segmentOne(directory), (bytes) => bytes.subarray(0, bytes.length - 1))
    for (let life = 0; life < 2; life++) {
      const recovered = await withDisk(directory, (disk) => Promise.resolve(disk.recovered), { fileSystem: hasty, segmentBytes: 1 })
      expect(plain(recovered)).toMatchObject({ currentTerm: 4, votedFor: 'n3', entries: [[3, 'command', 'a']] })
    }
  })

  it('torn in its last slot by the crash that tore the log: the vote was given to nobody, and is not there', async () => {
    const directory = await crashedAfter(batches)
    edit(segmentOne(directory), (bytes) => bytes.subarray(0, bytes.length - 1))
    edit(join(directory, 'vote'), (bytes) => bytes.fill(0, 4_096 + 8, 4_096 + 12))
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 3, votedFor: 'n1' })
  })

  it('torn in its last slot, the log has the vote, and both places have it afterwards', async () => {
    const directory = await crashedAfter(batches)
    edit(join(directory, 'vote'), (bytes) => {
      bytes[4_096 + 20]! ^= 1
    })
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 4, votedFor: 'n3' })
    const slots = readFileSync(join(directory, 'vote')).toString('latin1')
    expect(slots).toContain('n3')
  })

  it('lost or bad in both slots, a whole log has the vote', async () => {
    const directory = await crashedAfter(batches)
    for (const spoil of [
      (path: string) => rmSync(path),
      (path: string) => writeFileSync(path, ''),
      (path: string) => writeFileSync(path, Buffer.alloc(8_192, 7)),
    ]) {
      const copy = copyOf(directory)
      spoil(join(copy, 'vote'))
      expect(plain(await found(copy))).toMatchObject({ currentTerm: 4, votedFor: 'n3' })
      expect(statSync(join(copy, 'vote')).size).toBeGreaterThan(0)
      expect(readFileSync(join(copy, 'vote')).toString('latin1')).toContain('n3')
    }
  })

  it('bad in both slots, and the end of the log torn: nobody knows the vote, so the server does not start', async () => {
    const directory = await crashedAfter(batches)
    edit(segmentOne(directory), (bytes) => bytes.subarray(0, bytes.length - 1))
    bothSlots(directory, (bytes, at) => {
      bytes[at]! ^= 1
    })
    const before = readFileSync(segmentOne(directory))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining('last vote is not known'),
    })
    expect(readFileSync(segmentOne(directory))).toEqual(before)
  })

  it('of another server is not believed', async () => {
    const directory = await crashedAfter(batches)
    edit(join(directory, 'vote'), (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('n3', 'n2'), 'latin1'))
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 4, votedFor: 'n3' })
  })

  it('gets the durable marker when nothing was written for a while, once', async () => {
    const directory = await crashedAfter(batches)
    const before = readFileSync(join(directory, 'vote'))
    await withDisk(directory, () => Promise.resolve())
    const marked = readFileSync(join(directory, 'vote'))
    expect(marked.equals(before)).toBe(false)
    await withDisk(directory, () => Promise.resolve())
    expect(readFileSync(join(directory, 'vote')).equals(marked)).toBe(true)
  })
})
