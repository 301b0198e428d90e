import { concat, defer, EMPTY, expand, ignoreElements, type Observable, of } from 'rxjs'
import type { Handles } from './handles.js'
import { recordHeaderBytes } from './record.js'
import { blockBytes, blocksAtOnce, blocksOf, sealBlock } from './snapshotFormat.js'

/**
 * The bytes of one snapshot on their way into its file: pieces of any length come, blocks of one length go. What does
 * not fill a block is held until more comes, and a full block too, since it may turn out to be the last: 64 KiB at
 * most.
 */
export class SnapshotWriter {
  /** Bytes that came. */
  size = 0
  /** The last block that was written. */
  private number = 0
  private readonly held = Buffer.allocUnsafeSlow(blockBytes)
  private heldBytes = 0

  constructor(
    private readonly handles: Handles,
    private readonly fd: number,
    private readonly origin: number,
    /** Where the file ends: behind its header. */
    public end: number,
  ) {}

  /** Completes when all blocks are written that `data` made full; with the last piece, all. */
  add(data: Uint8Array, last: boolean): Observable<never> {
    return defer(() => {
      this.size += data.length
      const calls = this.blocks(data, last)
      const next = (): Observable<null> => {
        const { done, value } = calls.next()
        return done === true ? EMPTY : concat(this.handles.write(this.fd, value, this.end - value.length), of(null))
      }
      return of(null).pipe(expand(next), ignoreElements())
    })
  }

  /** As many blocks at once as one call writes, made when they are asked for: a large piece is not in memory twice. */
  private *blocks(data: Uint8Array, last: boolean): Generator<Buffer, undefined> {
    let rest = data
    let isDue = last || this.heldBytes + rest.length > blockBytes
    while (isDue) {
      const left = this.heldBytes + rest.length
      const target = Buffer.allocUnsafeSlow(
        Math.min(left, blocksAtOnce * blockBytes) + Math.min(blocksOf(left), blocksAtOnce) * recordHeaderBytes,
      )
      let end = 0
      while (isDue && end < target.length) {
        const from = end + recordHeaderBytes
        const taken = rest.subarray(0, blockBytes - this.heldBytes)
        this.held.copy(target, from, 0, this.heldBytes)
        target.set(taken, from + this.heldBytes)
        rest = rest.subarray(taken.length)
        const blockEnd = from + this.heldBytes + taken.length
        const isLast = last && rest.length === 0
        sealBlock(target, end, blockEnd, { origin: this.origin, number: ++this.number, last: isLast, fileAt: this.end })
        this.end += blockEnd - end
        this.heldBytes = 0
        end = blockEnd
        isDue = !isLast && (last || rest.length > blockBytes)
      }
      yield target.subarray(0, end)
    }
    this.held.set(rest, this.heldBytes)
    this.heldBytes += rest.length
  }
}
