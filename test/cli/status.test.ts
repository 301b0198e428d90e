import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { type Asked, statusTable } from '../../cli/client/status.js'

const asked = (port: number, id: string, role: string, commitIndex: number): Asked => {
  const standing = { id, role, term: 12, leader: 'n1', commitIndex, lastApplied: commitIndex, revision: commitIndex - 3, keys: 7 }
  return { endpoint: `http://127.0.0.1:${port}`, answer: either.right({ standing, body: standing }) }
}

describe('the table of `rxraft status`', () => {
  it('has a line for each server, also for one that does not answer', () => {
    const silent: Asked = { endpoint: 'http://127.0.0.1:7403', answer: either.left('connect ECONNREFUSED 127.0.0.1:7403') }
    expect(statusTable([asked(7401, 'n1', 'Leader', 1_274_139), asked(7402, 'n2', 'Follower', 9), silent])).toBe(
      [
        'ENDPOINT        SERVER  ROLE      TERM  LEADER     COMMIT    APPLIED   REVISION  KEYS\n',
        '127.0.0.1:7401  n1      leader      12  n1      1,274,139  1,274,139  1,274,136     7\n',
        '127.0.0.1:7402  n2      follower    12  n1              9          9          6     7\n',
        '127.0.0.1:7403  connect ECONNREFUSED 127.0.0.1:7403\n',
      ].join(''),
    )
  })
})
