import { filter, map, merge, type Observable } from 'rxjs'
import type { Raft } from './createRaft.js'

/**
 * Whoever of `servers` leads or becomes leader, for a process that holds several. Two may claim to for a
 * moment: the one that was cut off and does not know it yet, and the one elected since.
 *
 * @example
 * const leader = await firstValueFrom(leaderAmong(servers))
 */
export const leaderAmong = <C, R>(servers: ReadonlyArray<Raft<C, R>>): Observable<Raft<C, R>> =>
  merge(
    ...servers.map((server) =>
      server.role$.pipe(
        filter((role) => role === 'Leader'),
        map(() => server),
      ),
    ),
  )
