import { either } from 'fp-ts'
import { after } from '../../src/raft/ids.js'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered, Server } from '../../src/raft/state/server.js'
import { encodeBatch, sizeOfBatch } from '../../streams/storage/disk/batch.js'
import { replay, segmentOrigin, startOf } from '../../streams/storage/disk/replay.js'
import { encodeSegment } from '../../streams/storage/disk/segment.js'
import { Incarnation, nodeId, writeSeq } from '../../src/raft/ids.js'

const incarnation = '0123456789abcdef0123456789abcdef'
if (!Incarnation.is(incarnation)) throw new Error('no incarnation')
const identity = { id: nodeId('n1'), clusterId: 'test', incarnation }

/** What a server asks to be written, as the bytes of a log: to see whether it can be read back. */
export class OnDisk {
  private bytes: Buffer
  private number = 1
  private lastIndex
  private commitIndex

  constructor({ currentTerm, votedFor, log, commitIndex }: Server) {
    const { base } = log
    this.lastIndex = base.index
    this.commitIndex = base.index
    this.bytes = encodeSegment(identity, 1, 1, {
      currentTerm,
      votedFor,
      base,
      snapshot: null,
      lastIndex: base.index,
      commitIndex: base.index,
    })
    const entries = log.from(after(base.index))
    const write = { snapshot: null, hardState: null, truncateFrom: null, firstIndex: after(base.index), entries, commitIndex }
    if (entries.length > 0) this.write({ _tag: 'Persist', seq: writeSeq(0), write })
  }

  write(persist: Persist): void {
    const size = sizeOfBatch([persist], this.lastIndex, this.commitIndex)
    const target = Buffer.alloc(size.bytes)
    encodeBatch([persist], size, { origin: segmentOrigin(identity, 1), offset: this.bytes.length, write: ++this.number }, target)
    this.bytes = Buffer.concat([this.bytes, target])
    this.lastIndex = size.lastIndex
    this.commitIndex = size.commitIndex
  }

  /** Throws where not all of it is read. */
  read(): Recovered {
    const progress = replay(this.bytes, startOf(1, identity, null), (payload) => payload)
    if (either.isLeft(progress)) throw new Error(`byte ${progress.left.offset}: ${progress.left.what}`)
    const { whole, wholeTo } = progress.right
    if (whole === null || wholeTo !== this.bytes.length) throw new Error(`${wholeTo} of ${this.bytes.length} bytes can be read`)
    return whole
  }
}
