import { constants } from 'node:fs'
import { concat, concatMap, defer, EMPTY, from, merge, mergeMap, type Observable, takeUntil } from 'rxjs'
import type { HardState, Persist } from '../../../src/raft/effect.js'
import { type LogIndex, logIndex, maxIndex, writeSeq } from '../../../src/raft/ids.js'
import { type BatchSize, encodeBatch, sizeOfBatch } from './batch.js'
import { whileWriting } from './errors.js'
import type { Handles } from './handles.js'
import type { Identity } from './identity.js'
import { segmentFile, voteFile } from './layout.js'
import type { FormerSegment } from './readLog.js'
import type { Found } from './recover.js'
import { segmentOrigin } from './replay.js'
import type { SerialQueue } from './serialQueue.js'
import { encodeSegment, type SegmentState } from './segment.js'
import { unlink } from './snapshotFiles.js'
import { encodeSlot, slotOffset, voteFileBytes } from './vote.js'

export interface WriterOptions {
  readonly directory: string
  readonly identity: Identity
  readonly segmentBytes: number
  readonly growBytes: number
  /** Emits once, when the durable marker is due. */
  readonly idle$: Observable<unknown>
  /** Where its work is done, one piece after another. */
  readonly row: SerialQueue
}

const { O_WRONLY, O_CREAT, O_EXCL } = constants

/** A buffer that served a larger write than this is not kept. */
const keptBufferBytes = 4 << 20

/** The end of the log: each piece of work begins when the former is on disk. */
export class Writer {
  private readonly voteFd: number
  private state: SegmentState
  private segment: number
  private path: string
  private fd: number
  private end: number
  /** How long the file is: behind `end` there are zeros. */
  private size: number
  /** The highest index of an entry in this segment, and the segments before it, oldest first. */
  private highest: LogIndex
  private former: ReadonlyArray<FormerSegment>
  private origin: number
  /** The last write, which is on disk. */
  private write: number
  /** The last slot of the vote file, and the write that it says was on disk. */
  private slot: number
  private marked: number
  private buffer = Buffer.allocUnsafeSlow(1 << 16)
  private markerDue = false

  constructor(
    private readonly handles: Handles,
    { recovered, logged, slot, voteFd, segment, fd, end, size, highest, former }: Found,
    private readonly options: WriterOptions,
  ) {
    const { log, snapshot, commitIndex, write } = recovered
    // The log's term and vote, even if it is to be told of later ones: a segment that begins before that continues this
    // log.
    this.state = { ...logged, base: log.base, snapshot, lastIndex: log.lastIndex, commitIndex }
    this.voteFd = voteFd
    this.segment = segment
    this.path = segmentFile(options.directory, segment)
    this.fd = fd
    this.end = end
    this.size = size
    this.highest = highest
    this.former = former
    this.origin = segmentOrigin(options.identity, segment)
    this.write = write
    this.slot = slot?.number ?? 0
    this.marked = slot?.durable ?? 0
    this.armMarker()
  }

  get bytes(): number {
    return this.former.reduce((sum, { bytes }) => sum + bytes, this.size) + voteFileBytes
  }

  /** Makes `batch` durable as one write. Segments that it makes superfluous go after that. */
  append(batch: ReadonlyArray<Persist>): Observable<never> {
    const written = this.options.row(() => {
      const { lastIndex, commitIndex } = this.state
      const size = sizeOfBatch(batch, lastIndex, commitIndex)
      if (size.records === 0) return EMPTY
      return this.end < this.options.segmentBytes
        ? this.appendToSegment(batch, size)
        : concat(
            this.rotate(),
            defer(() => this.appendToSegment(batch, size)),
          )
    })
    if (batch.some(({ write }) => write.snapshot !== null))
      this.options.row(() =>
        concat(
          this.rotate(),
          defer(() => this.forget()),
        ),
      )
    return written
  }

  /**
   * Removes the segments whose entries are all in the snapshot that the log, durably, begins after (§7). From the
   * oldest on, each name gone before the next one goes. So a crash in the middle leaves consecutive
   * segments.
   */
  forget(): Observable<never> {
    const { handles, former, options } = this
    const needed = former.findIndex(({ highest }) => highest > this.state.base.index)
    const superfluous = former.slice(0, needed < 0 ? former.length : needed)
    return from(superfluous).pipe(
      concatMap(({ segment }) =>
        concat(
          unlink(handles, segmentFile(options.directory, segment)),
          handles.fsyncDirectory(options.directory),
          defer(() => {
            this.former = this.former.slice(1)
            return EMPTY
          }),
        ),
      ),
      whileWriting(options.directory),
    )
  }

  /** Writes `hardState` where it is not yet. */
  settle(hardState: HardState): Observable<never> {
    const { lastIndex: firstIndex, commitIndex } = this.state
    const write = { snapshot: null, hardState, truncateFrom: null, firstIndex, entries: [], commitIndex }
    return this.append([{ _tag: 'Persist', seq: writeSeq(0), write }])
  }

  /** Says in the vote file that everything written is on disk. */
  mark(): Observable<never> {
    return this.options.row(() => (this.marked < this.write ? this.saveVote(this.state) : EMPTY))
  }

  private appendToSegment(batch: ReadonlyArray<Persist>, size: BatchSize): Observable<never> {
    const { handles, fd, end, origin } = this
    const write = this.write + 1
    const fileSize = this.sizeWith(end + size.bytes)
    const written = fileSize > this.size ? fileSize - end : size.bytes
    const target = this.bufferOf(written).subarray(0, written)
    encodeBatch(batch, size, { origin, offset: end, write }, target)
    target.fill(0, size.bytes)
    const logged = handles.writeDurably(fd, target, end).pipe(whileWriting(this.path))
    return concat(
      size.hardState === null ? logged : merge(logged, this.saveVote(size.hardState)),
      defer(() => {
        const { lastIndex, commitIndex, snapshot } = size
        const begins = snapshot === null ? null : { base: snapshot.base, snapshot: { ref: snapshot.ref, size: snapshot.size } }
        this.state = { ...this.state, ...begins, ...size.hardState, lastIndex, commitIndex }
        this.highest = maxIndex(this.highest, size.highest)
        this.write = write
        this.end = end + size.bytes
        this.size = Math.max(this.size, fileSize)
        this.armMarker()
        return EMPTY
      }),
    )
  }

  /**
   * The length of a file that has to hold `end` bytes: it grows by large pieces of zeros, since a sync that has no new
   * length to make durable takes half as long. A full segment has no zeros at its end.
   */
  private sizeWith(end: number): number {
    const { growBytes, segmentBytes } = this.options
    return Math.max(end, Math.min(Math.ceil(end / growBytes) * growBytes, segmentBytes))
  }

  private saveVote({ currentTerm, votedFor }: HardState): Observable<never> {
    const {
      handles,
      voteFd,
      options: { identity, directory },
    } = this
    const number = ++this.slot
    this.marked = this.write
    const slot = encodeSlot(identity, { number, hardState: { currentTerm, votedFor }, durable: this.marked })
    return handles.writeDurably(voteFd, slot, slotOffset(number)).pipe(whileWriting(voteFile(directory)))
  }

  /** A new segment: its header, its name, and only then a record in it. */
  private rotate(): Observable<never> {
    const {
      handles,
      options: { directory, identity },
    } = this
    const segment = this.segment + 1
    const write = this.write + 1
    const header = encodeSegment(identity, segment, write, this.state)
    const path = segmentFile(directory, segment)
    return handles.openDurable(path, O_WRONLY | O_CREAT | O_EXCL).pipe(
      mergeMap((fd) =>
        concat(
          handles.writeDurably(fd, header, 0),
          handles.fsyncDirectory(directory),
          handles.close(this.fd),
          defer(() => {
            this.former = [...this.former, { segment: this.segment, bytes: this.size, highest: this.highest }]
            this.highest = logIndex(0)
            this.segment = segment
            this.path = path
            this.fd = fd
            this.end = this.size = header.length
            this.origin = segmentOrigin(identity, segment)
            this.write = write
            return EMPTY
          }),
        ),
      ),
      whileWriting(path),
    )
  }

  private bufferOf(bytes: number): Buffer {
    if (bytes <= this.buffer.length) return this.buffer
    const buffer = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)))
    if (buffer.length <= keptBufferBytes) this.buffer = buffer
    return buffer
  }

  /**
   * The marker is due once nothing was written for a while. A write does not move the timer, which on firing looks
   * whether there was one.
   */
  private armMarker(): void {
    if (this.markerDue || this.marked === this.write) return
    this.markerDue = true
    const { write } = this
    this.options.idle$.pipe(takeUntil(this.handles.ended$)).subscribe(() => {
      this.markerDue = false
      if (this.write === write) this.mark()
      else this.armMarker()
    })
  }
}
