import { auditTime, catchError, EMPTY, from, map, merge, mergeMap, type Observable, type SchedulerLike, scan, share } from 'rxjs'
import { leaderOf, type Server } from '../../src/raft/state/server.js'
import type { Raft } from '../../streams/server/createRaft.js'
import { defaultClock } from '../../streams/server/options.js'
import type { Row } from './model.js'
import type { Happened, Told } from './reduce.js'
import { refusals } from './refusals.js'
import { noStory, tell } from './story.js'

/** Where a server stands is looked at so often; what happens is told at once. */
const standingMs = 100

/** A server's streams as the view is told of them. `now` is the wall clock, which is shown. */
export const toldBy = <C, R>(
  raft: Pick<Raft<C, R>, 'id' | 'state$' | 'metrics$' | 'rejected$'>,
  now: () => number,
  scheduler: SchedulerLike = defaultClock,
): Observable<Told> => {
  const { id: server } = raft
  const happened = (mood: Happened['mood'], text: string): Happened => ({ _tag: 'Happened', at: now(), server, mood, text })
  const state$ = from(raft.state$).pipe(share())
  return merge(
    state$.pipe(
      scan(tell, noStory),
      mergeMap(({ tales }) => (tales.length === 0 ? EMPTY : tales.map(({ mood, text }) => happened(mood, text)))),
    ),
    state$.pipe(
      auditTime(standingMs, scheduler),
      map((state): Told => ({ _tag: 'Standing', server, standing: standingOf(state) })),
    ),
    raft.metrics$.pipe(map(({ storageBytes }): Told => ({ _tag: 'Standing', server, standing: { diskBytes: storageBytes } }))),
    raft.rejected$.pipe(
      refusals({ scheduler }),
      map((text) => happened('Bad', text)),
    ),
  ).pipe(catchError(() => EMPTY))
}

const standingOf = (server: Server): Partial<Row> => ({
  role: server.role._tag,
  term: server.currentTerm,
  leader: leaderOf(server),
  commitIndex: server.commitIndex,
  lastApplied: server.lastApplied,
  snapshotIndex: server.snapshots.current === null ? 0 : server.log.base.index,
  logBytes: server.log.bytes,
})
