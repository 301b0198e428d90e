import { either } from 'fp-ts'

/*
 * What goes over a connection, little-endian:
 *
 *   length u32 | type u8 | payload          length counts type and payload
 *
 * The payload of a message begins with a group:
 *
 *   length u32 | type u8 = 5 | group u32 | message
 *
 * One pair of connections will carry the messages of several groups of servers. There is one group now, number 0; a
 * message for another one is refused. The other frames are about the connection and have no group, so that every
 * version can read them.
 */

/**
 * What a frame is for. These numbers, and the JSON of the first three, are the same in every version of the protocol.
 */
export const frameType = {
  /** The caller says its name, and the name of the server that it wants: a greeting as JSON. */
  hello: 1,
  /** The called server lets it in, and says its own name. */
  welcome: 2,
  /** Why the connection ends, as JSON; the last frame. */
  close: 3,
  /** "I am here", from either end, without payload. */
  alive: 4,
  /** A group and a message (wire/message.ts). */
  message: 5,
} as const

export const frameHeaderBytes = 5
const groupBytes = 4
/** What stands before a message. */
export const messageHeaderBytes = frameHeaderBytes + groupBytes

/** Writes the header of a frame with a payload of `payloadBytes` and returns where the payload begins. */
export const writeFrameHeader = (type: number, payloadBytes: number, target: Uint8Array, offset: number): number => {
  const length = payloadBytes + 1
  target[offset] = length
  target[offset + 1] = length >>> 8
  target[offset + 2] = length >>> 16
  target[offset + 3] = length >>> 24
  target[offset + 4] = type
  return offset + frameHeaderBytes
}

/** Writes what stands before a message of `messageBytes` and returns where the message begins. */
export const writeMessageHeader = (messageBytes: number, target: Uint8Array, offset: number): number => {
  const groupAt = writeFrameHeader(frameType.message, groupBytes + messageBytes, target, offset)
  target.fill(0, groupAt, groupAt + groupBytes)
  return groupAt + groupBytes
}

/** The length of the frame that holds a message of `messageBytes`, as its first four bytes say it. */
export const messageFrameLength = (messageBytes: number): number => 1 + groupBytes + messageBytes

/** The bytes of the message in a frame; Left with the reason where this version has no use for them. */
export const messageIn = (payload: Uint8Array): either.Either<string, Uint8Array> => {
  if (payload.length < groupBytes) return either.left(`${payload.length} bytes end in the middle of a group`)
  const group = (payload[0]! | (payload[1]! << 8) | (payload[2]! << 16) | (payload[3]! << 24)) >>> 0
  return group === 0
    ? either.right(payload.subarray(groupBytes))
    : either.left(`it is for group ${group}, and this version of rxraft knows no group but 0`)
}

export const frameOf = (type: number, payload: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(frameHeaderBytes + payload.length)
  frame.set(payload, writeFrameHeader(type, payload.length, frame, 0))
  return frame
}

/** Whether to go on with the frames after this one. */
export type OnFrame = (type: number, payload: Uint8Array) => boolean

/**
 * Cuts the chunks of a socket into frames. Every byte is copied once, into memory that is the
 * frame's alone: what a log keeps of it does not keep the socket's 64 KiB chunks. The length is
 * checked before anything is allocated.
 */
export class FrameReader {
  private length = 0
  private lengthBytes = 0
  private frame: Uint8Array | null = null
  private filled = 0

  /** `maxBytes`, the largest length, may be changed between two frames. */
  constructor(public maxBytes: number) {}

  /** Gives `onFrame` all frames that `chunk` completes. Answers why it is no part of a frame, or null. */
  push(chunk: Uint8Array, onFrame: OnFrame): string | null {
    let at = 0
    while (at < chunk.length) {
      if (this.frame === null) {
        this.length += chunk[at++]! * 2 ** (8 * this.lengthBytes++)
        if (this.lengthBytes < 4) continue
        if (this.length === 0 || this.length > this.maxBytes)
          return `a frame of ${this.length} bytes, where 1 to ${this.maxBytes} are allowed`
        this.frame = Buffer.allocUnsafeSlow(this.length)
        this.filled = 0
      }
      const end = Math.min(chunk.length, at + this.length - this.filled)
      this.frame.set(chunk.subarray(at, end), this.filled)
      this.filled += end - at
      at = end
      if (this.filled < this.length) break
      const { frame } = this
      this.frame = null
      this.length = 0
      this.lengthBytes = 0
      if (!onFrame(frame[0]!, frame.subarray(1))) break
    }
    return null
  }
}
