/*
 * A message as bytes, little-endian, in the order of Figure 2's boxes:
 *
 *   RequestVote         1 | from | to | seq u64 | term u48 | lastLogIndex u64 | lastLogTerm u48
 *   RequestVoteReply    2 | from | to |  re u64 | term u48 | voteGranted u8
 *   AppendEntries       3 | from | to | seq u64 | term u48 | prevLogIndex u64 | prevLogTerm u48 | leaderCommit u64
 *                         | entries
 *   AppendEntriesReply  4 | from | to |  re u64 | term u48 | success u8 | matchIndex u64 | conflict
 *   InstallSnapshot     5 | from | to | seq u64 | term u48 | lastIncludedIndex u64 | lastIncludedTerm u48
 *                         | configuration | offset u64 | done u8 | data
 *   InstallSnapshotReply 6 | from | to | re u64 | term u48 | offset u64 | matchIndex u64
 *
 * A name is its length in one byte, then that many ASCII characters. `conflict` is a byte: 0 for none, 1 before an
 * index (u64), 2 before an index and a term (u48). `configuration` (its JSON) and `data` come after their length (u32).
 * candidateId and leaderId are the sender, so the wire has no way to say otherwise. Entries are laid out as in the log
 * (entries.ts) and come last, so that they can go to disk as they came. A term has 48 bits there, hence here.
 */

/*
 * Bounds on the work that a frame can cause. Without them one of 16 MiB could hold a million entries, or
 * one configuration that takes seconds to understand, and reading it would cost a leader its office.
 */

/** In one message; four times what a leader sends by default. */
export const maxEntriesPerMessage = 1 << 14
/** In one message, all its configurations together. */
export const maxConfigurationBytes = 1 << 20

/** The first byte of each message. */
export const tags = {
  RequestVote: 1,
  RequestVoteReply: 2,
  AppendEntries: 3,
  AppendEntriesReply: 4,
  InstallSnapshot: 5,
  InstallSnapshotReply: 6,
} as const
