import { either } from 'fp-ts'
import type { HardState } from '../../../src/raft/effect.js'
import type { Identity } from './identity.js'
import { hardStateByteLength, readHardState, writeHardState } from './payload.js'
import { originOf, readRecord, recordHeaderBytes, sealRecord, u48Bytes } from './record.js'

/*
 * Term and vote a second time, in a file of two slots that are written in turn, so that a torn write
 * leaves the other. A slot is a record (record.ts) numbered by its own row of writes:
 *
 *   durable u48 | currentTerm u48 | votedFor, ASCII, empty for none
 *
 * `durable` is the durable marker: every write to the log up to this number was on disk. It stands
 * here and not in the log, so that a loss of the end of the log does not lose the marker too.
 *
 * A change of term or vote is acknowledged when log and slot are both synced. The two syncs run side
 * by side, and only elections cause them: the second costs nothing where it counts.
 */

export interface Slot {
  readonly number: number
  readonly hardState: HardState
  readonly durable: number
}

/** Far enough apart that no one sector or page holds both. */
const slotBytes = 4_096
export const voteFileBytes = 2 * slotBytes

export const slotOffset = (number: number): number => (number % 2) * slotBytes

const originFor = ({ clusterId, id, incarnation }: Identity): number => originOf(['vote', clusterId, id, incarnation])

export const encodeSlot = (identity: Identity, { number, hardState, durable }: Slot): Buffer => {
  const slot = Buffer.alloc(recordHeaderBytes + u48Bytes + hardStateByteLength(hardState))
  const end = writeHardState(hardState, slot, slot.writeUIntLE(durable, recordHeaderBytes, u48Bytes))
  sealRecord(slot, 0, end, { kind: 'vote', write: number, last: true, origin: originFor(identity), targetAt: slotOffset(number) })
  return slot
}

/** The newer of the slots that are good, null where neither is. */
export const readSlots = (file: Buffer, identity: Identity): Slot | null => {
  const [even, odd] = [0, 1].map((n) => slotAt(file, slotOffset(n), identity))
  if (!even || !odd) return even ?? odd ?? null
  return even.number > odd.number ? even : odd
}

const slotAt = (file: Buffer, at: number, identity: Identity): Slot | null => {
  const record = readRecord(file, at, originFor(identity))
  if (record?.kind !== 'vote' || record.payload.length < u48Bytes) return null
  const hardState = readHardState(record.payload.subarray(u48Bytes))
  return hardState === null ? null : { number: record.write, hardState, durable: record.payload.readUIntLE(0, u48Bytes) }
}

/**
 * Whether `a` is what a server may hold after it held `b`: a later term, or the vote of a term in which it had none.
 */
const isNewer = (a: HardState, b: HardState): boolean =>
  a.currentTerm > b.currentTerm || (a.currentTerm === b.currentTerm && a.votedFor !== null && b.votedFor === null)

export const isSame = (a: HardState, b: HardState): boolean => a.currentTerm === b.currentTerm && a.votedFor === b.votedFor

/**
 * What term and vote are, told from both places. The newer wins: at worst the vote was never given to
 * anyone, whereas one that is forgotten may be given twice (§5.2). Left with the reason where that
 * cannot be told.
 */
export const reconcile = (log: HardState, logIsTorn: boolean, slot: Slot | null): either.Either<string, HardState> => {
  if (slot === null) {
    // A crash tears one slot. Both are damaged, and a vote may stand in what was torn off the log.
    return logIsTorn
      ? either.left('neither of its slots is good, and the end of the log is torn, so the last vote is not known')
      : either.right(log)
  }
  const { hardState } = slot
  if (isSame(log, hardState) || isNewer(log, hardState)) return either.right(log)
  return isNewer(hardState, log)
    ? either.right(hardState)
    : either.left(
        `it holds a vote for ${hardState.votedFor ?? 'nobody'} in term ${hardState.currentTerm}, and the log one for ${log.votedFor ?? 'nobody'}`,
      )
}
