import type { ClusterByHand } from './cluster.js'
import { clusterOf, commands } from './transcriptCommands.js'

/**
 * Plays a transcript and answers it anew: the same text, with what each of its commands did now.
 *
 * A transcript is a story in blocks with empty lines between them: narration (`#`), commands, `----`,
 * and what came of them. So a test compares the answer with the text, and whoever wants the text to be
 * what happens writes the answer to the file. After each command that moves the cluster, the
 * invariants of its servers and the properties of Figure 3 are checked; where one does not hold,
 * `InvariantViolation` is thrown. A line that cannot be played throws an `Error` that names it.
 *
 *     cluster 3 leaderNoop=false          servers n1, n2, n3, with settings if others than the defaults
 *     recover n1 T3 vote n2 commit 1 log 1 1 2    n1 starts anew, from a disk with these terms in its log
 *     timeout n1                          its election timer fires
 *     elect n1                            the same, and all that follows of it, again and again until it leads
 *     heartbeat n1                        its heartbeat timer fires
 *     propose n1 x y                      two commands in one batch
 *     flush n1                            its turn ends: what gathered is sent
 *     persist n1 #2                       its disk has done the writes up to #2; all of them, without a number
 *     slow n1                             from now on, its disk does something only when told by `persist` …
 *     fast n1                             … until now
 *     apply n1                            its state machine answers for all it was given
 *     snapshot n1 5                       its state machine gives its state after index 5
 *     store n1                            its disk does what it has to do about snapshots: stores pieces, reads chunks
 *     deliver n1 → n2 #2                  the second oldest message under way; the oldest, without a number
 *     drop n1 → n2                        it never arrives
 *     duplicate n1 → n2                   it will arrive once more, after all others
 *     unreachable n1 n2                   n1 is told that what it sent to n2 may be lost
 *     crash n1 #3                         it is gone, with all it wrote after #3; after the acknowledged, without one
 *     restart n1                          from its disk
 *     cut n1 n2 | n3                      nothing passes between the two sides …
 *     heal                                … until now
 *     settle                              all goes on without a new fault; says who leads and where all are
 *     state n1 n2                         a line for each; all, without a name
 *     followers n1                        what n1 knows of those it leads
 *     network                             what is under way
 *
 * @example
 * transcript('cluster 3\n\ntimeout n2\n----\n')
 * // cluster 3
 * //
 * // timeout n2
 * // ----
 * // > ElectionTimedOut 1
 * //   persist #1 T1 vote n2
 * //   ArmElectionTimer 2
 * //   send    n2→n1 RequestVote T1 last 0/0 after #1
 * //   send    n2→n3 RequestVote T1 last 0/0 after #1
 * //   n2 Candidate T1 vote n2 commit 0 log []
 */
export const transcript = (text: string): string => {
  const play = player()
  let lineNumber = 0
  const blocks = text
    .replace(/\n+$/, '')
    .split('\n\n')
    .map((block) => {
      const lines = block.split('\n')
      const end = lines.indexOf('----')
      const script = end < 0 ? lines : lines.slice(0, end)
      const output = script.flatMap((line, i) => {
        try {
          return line.startsWith('#') || line === '' ? [] : play(line)
        } catch (error) {
          if (error instanceof Error) error.message = `line ${lineNumber + i + 1}, ${line}: ${error.message}`
          throw error
        }
      })
      lineNumber += lines.length + 1
      return [...script, ...(output.length > 0 ? ['----', ...output] : [])].join('\n')
    })
  return `${blocks.join('\n\n')}\n`
}

/** Plays one line after the other on the cluster that the first one makes. */
const player = (): ((line: string) => ReadonlyArray<string>) => {
  let cluster: ClusterByHand | null = null
  return (line) => {
    const [name = '', ...words] = line.trim().split(/\s+/)
    if (name === 'cluster') {
      cluster = clusterOf(words)
      return []
    }
    if (cluster === null) throw new Error('begin with: cluster 3')
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command === undefined) throw new Error(`there is no command ${name}: there are cluster, ${Object.keys(commands).join(', ')}`)
    return command(cluster, words)
  }
}
