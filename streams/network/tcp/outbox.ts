import { Subject } from 'rxjs'
import type { Message } from '../../../src/raft/messages.js'
import { messageByteLength, writeMessage } from '../../wire/message.js'
import { messageHeaderBytes, writeMessageHeader } from './frame.js'

export interface OutboxLimits {
  readonly maxQueueMessages: number
  readonly maxQueueBytes: number
}

/** Frames that leave in one write. */
export interface Batch {
  readonly frames: number
  readonly bytes: Uint8Array
}

/** A batch has one frame that reaches this, at most. */
const batchBytes = 256 << 10

/**
 * What waits for one peer. At its bound the newest message is dropped, not the oldest: AppendEntries
 * build on each other, so a follower can use what comes before a gap and nothing of what comes after.
 */
export class Outbox {
  /** Emits when it was empty and no longer is. */
  readonly filled$ = new Subject<void>()
  private messages: Message[] = []
  private queuedBytes = 0

  constructor(private readonly limits: OutboxLimits) {}

  get size(): number {
    return this.messages.length
  }

  get bytes(): number {
    return this.queuedBytes
  }

  /** False where it is full: the message is not kept. An empty one takes a message of any size. */
  offer(message: Message): boolean {
    const bytes = framedByteLength(message)
    const full = this.size >= this.limits.maxQueueMessages || this.queuedBytes + bytes > this.limits.maxQueueBytes
    if (full && this.size > 0) return false
    this.messages.push(message)
    this.queuedBytes += bytes
    if (this.size === 1) this.filled$.next()
    return true
  }

  /** Takes what comes next as frames, enough for one large write; null where nothing waits. */
  take(): Batch | null {
    if (this.size === 0) return null
    let frames = 0
    let byteLength = 0
    while (frames < this.size && byteLength < batchBytes) byteLength += framedByteLength(this.messages[frames++]!)
    const bytes = Buffer.allocUnsafe(byteLength)
    let at = 0
    for (const message of this.messages.splice(0, frames)) at = writeFramed(message, bytes, at)
    this.queuedBytes -= byteLength
    return { frames, bytes }
  }

  /** Forgets everything, and says how many messages that were. */
  clear(): number {
    const { size } = this
    this.messages = []
    this.queuedBytes = 0
    return size
  }
}

const framedByteLength = (message: Message): number => messageHeaderBytes + messageByteLength(message)

const writeFramed = (message: Message, target: Uint8Array, offset: number): number =>
  writeMessage(message, target, writeMessageHeader(messageByteLength(message), target, offset))
