/**
 * What the rules may do, and how much. A server's settings never change. Each bound has a policy:
 *
 *  - `leaderNoop`: whether a new leader opens its term with a no-op (§8). Without it entries of older terms
 *    wait for the leader's first command. The lab needs it off, because its first command must get index 1;
 *  - `maxEntriesPerMessage`, `maxBytesPerMessage`: one AppendEntries. The rest goes in the next. A single larger entry
 *    goes alone;
 *  - `maxInflightMessages`, `maxInflightBytes`: unanswered AppendEntries per follower. The rest waits for an answer;
 *  - `maxUncommittedEntries`, `maxUncommittedBytes`: appended by this leader and not committed. Beyond it proposals are
 *    `Overloaded`;
 *  - `maxUnapplied`: committed and not applied. Beyond it a leader says `Overloaded`; a follower takes no entries and
 *    still answers heartbeats;
 *  - `maxApplying`: entries that the state machine was handed and has not answered for. The rest waits in the log;
 *  - `maxLogBytes`: commands in memory since the last snapshot. Beyond it proposals are `Overloaded`;
 *  - `maxSnapshotChunkBytes`: one InstallSnapshot (Figure 13). One is under way to a follower at a time;
 *  - `maxPendingWrites`: writes that the disk has not acknowledged. Beyond it the same happens as with `maxUnapplied`.
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

/**
 * Every setting as it is when it is left out.
 *
 * @example
 * const settings: Settings = { ...defaultSettings, leaderNoop: false }
 */
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
