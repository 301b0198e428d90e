import { describe, expect, it } from '@jest/globals'
import { InvariantViolation } from '../../src/raft/error.js'
import { transcript } from '../../streams/testing/transcript.js'

const cluster = 'cluster 3\n\n'
const outputOf = (script: string): ReadonlyArray<string> =>
  transcript(`${cluster}${script}\n`).split('----\n')[1]?.trimEnd().split('\n') ?? []

describe('transcript', () => {
  it('answers the text with what happened', () => {
    expect(transcript(`${cluster}timeout n2\n`)).toBe(
      [
        'cluster 3',
        '',
        'timeout n2',
        '----',
        '> ElectionTimedOut 1',
        '  persist #1 T1 vote n2',
        '  ArmElectionTimer 2',
        '  send    n2→n1 RequestVote T1 last 0/0 after #1',
        '  send    n2→n3 RequestVote T1 last 0/0 after #1',
        '  n2 Candidate T1 vote n2 commit 0 log []',
        '',
      ].join('\n'),
    )
  })

  it('what it answers is played to the same end', () => {
    const once = transcript(`# A story.\n\n${cluster}elect n1\n\n# Then:\npropose n1 x y\nflush n1\n\ncrash n2\n\nsettle\n`)
    expect(transcript(once)).toBe(once)
  })

  it('what was written down before does not matter', () => {
    expect(transcript(`${cluster}state n1\n----\nn1 Leader, they said\n`)).toBe(
      `${cluster}state n1\n----\nn1 Follower  T0 vote - commit 0 log []\n`,
    )
  })

  it.each([
    { script: 'timeout n1', line: 'line 1, timeout n1: begin with: cluster 3' },
    { script: 'cluster many', line: 'line 1, cluster many: many is no number' },
    { script: 'cluster 3 leaderNop=true', line: 'line 1, cluster 3 leaderNop=true: there is no setting leaderNop: there are leaderNoop, ' },
    { script: 'cluster 3\n\n# A word.\nprevote n1', line: 'line 4, prevote n1: there is no command prevote: there are cluster, propose, ' },
    { script: 'cluster 3\ntimeout n4', line: 'line 2, timeout n4: there is no server n4: the servers are n1 n2 n3' },
    { script: 'cluster 3\ntimeout', line: 'line 2, timeout: write which server: n1' },
    { script: 'cluster 3\ndeliver n1 n2', line: 'line 2, deliver n1 n2: write from whom and to whom: n1 → n2' },
    { script: 'cluster 3\ndeliver n1 → n2', line: 'line 2, deliver n1 → n2: 0 messages are under way from n1 to n2: there is no #1' },
    {
      script: 'cluster 3\nduplicate n1 → n2 #3',
      line: 'line 2, duplicate n1 → n2 #3: 0 messages are under way from n1 to n2: there is no #3',
    },
    { script: 'cluster 3\ncut n1 n2', line: 'line 2, cut n1 n2: write a | between the two sides: cut n1 n2 | n3' },
    { script: 'cluster 3\ncrash n1\ntimeout n1', line: 'line 3, timeout n1: n1 is down: restart it first' },
    { script: 'cluster 3\nrestart n1', line: 'line 2, restart n1: n1 is running: crash it first' },
    { script: 'cluster 3\ncut n1 | n2 n3\nelect n1', line: 'line 3, elect n1: n1 is not elected in 3 attempts' },
    { script: 'cluster 3\ncrash n1\ncrash n2\nsettle', line: 'line 4, settle: the cluster does not settle within 64 rounds' },
  ])('says which line cannot be played, and why: $line', ({ script, line }) => {
    expect(() => transcript(script)).toThrow(line)
  })

  it('throws where the servers were made to contradict each other: equal index and term, another entry before', () => {
    const contradiction = () => transcript(`${cluster}recover n1 T2 log 1 2\nrecover n2 T2 log 2 2\n`)
    expect(contradiction).toThrow(InvariantViolation)
    expect(contradiction).toThrow(/^line 4, recover n2 T2 log 2 2: Log Matching/)
  })

  it('shows what a cut takes, and what a slow disk keeps back', () => {
    expect(outputOf('cut n1 | n2\ntimeout n1\npersist n1\nnetwork').at(-1)).toBe('n1→n3 RequestVote T1 last 0/0')
    expect(outputOf('slow n2\ncrash n3\ntimeout n1\npersist n1\ndeliver n1 → n2\nnetwork').at(-1)).toBe('n1→n3 RequestVote T1 last 0/0')
    expect(outputOf('slow n2\nelect n1\npropose n1 x\nsettle').slice(-4)).toEqual([
      'n1 leads',
      'n1 Leader    T1 vote n1 commit 2 log [1 1]',
      'n2 Follower  T1 vote n1 commit 2 log [1 1] durable 0',
      'n3 Follower  T1 vote n1 commit 2 log [1 1]',
    ])
  })
})
