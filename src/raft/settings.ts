/**
 * What the rules may do and how much of it; constant in the life of a server. Every bound has a
 * policy at the bound:
 *
 *  - `leaderNoop`: whether a new leader opens its term with a no-op (§8). Without it entries of older terms
 *    wait for the first command of its own; the lab, whose first command must get index 1, needs it off;
 *  - `maxEntriesPerMessage`, `maxBytesPerMessage`: one AppendEntries; the rest goes in the next. A single larger entry goes alone;
 *  - `maxInflightMessages`, `maxInflightBytes`: unanswered AppendEntries per follower; the rest waits for an answer;
 *  - `maxUncommittedEntries`, `maxUncommittedBytes`: appended by this leader and not committed; beyond it proposals are `Overloaded`;
 *  - `maxUnapplied`: committed and not applied; beyond it a leader says `Overloaded`, and a follower takes no entries but answers heartbeats;
 *  - `maxApplying`: entries the state machine holds and has not answered for; the rest waits in the log;
 *  - `maxLogBytes`: commands in memory since the last snapshot; beyond it proposals are `Overloaded`;
 *  - `maxSnapshotChunkBytes`: one InstallSnapshot (Figure 13); one is under way to a follower at a time;
 *  - `maxPendingWrites`: writes the disk has not acknowledged; beyond it the same as with `maxUnapplied`.
 *
 * @example
 * createRaft({
 *   id: 'n1', network, storage,
 *   leaderNoop: true, maxEntriesPerMessage: 1_024, maxBytesPerMessage: 1 << 19, maxInflightMessages: 16, maxInflightBytes: 4 << 20,
 *   maxUncommittedEntries: 10_000, maxUncommittedBytes: 32 << 20, maxUnapplied: 10_000, maxApplying: 1_000,
 *   maxLogBytes: 1 << 30, maxSnapshotChunkBytes: 1 << 18, maxPendingWrites: 1_000,
 * })
 */
export interface Settings {
  readonly leaderNoop: boolean
  readonly maxEntriesPerMessage: number
  readonly maxBytesPerMessage: number
  readonly maxInflightMessages: number
  readonly maxInflightBytes: number
  readonly maxUncommittedEntries: number
  readonly maxUncommittedBytes: number
  readonly maxUnapplied: number
  readonly maxApplying: number
  readonly maxLogBytes: number
  readonly maxSnapshotChunkBytes: number
  readonly maxPendingWrites: number
}

/** Every setting as it is when it is left out. */
export const defaultSettings: Settings = {
  leaderNoop: true,
  maxEntriesPerMessage: 4_096,
  maxBytesPerMessage: 1 << 20,
  maxInflightMessages: 64,
  maxInflightBytes: 8 << 20,
  maxUncommittedEntries: 1 << 17,
  maxUncommittedBytes: 64 << 20,
  maxUnapplied: 1 << 17,
  maxApplying: 8_192,
  maxLogBytes: 2 ** 31,
  maxSnapshotChunkBytes: 1 << 20,
  maxPendingWrites: 4_096,
}

/** What of these options the rules know: a server's state, and with it a recording, holds no more. */
export const settingsOf = (options: Settings): Settings =>
  Object.fromEntries(Object.keys(defaultSettings).map((name) => [name, options[name as keyof Settings]])) as unknown as Settings
