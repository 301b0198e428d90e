import { either } from 'fp-ts'
import { defer, finalize, type Observable } from 'rxjs'
import type { Revision } from '../../../src/kv/ids.js'
import type { KeyRange } from '../../../src/kv/key.js'
import type { Compacted } from '../../../src/kv/result.js'
import type { KvServer } from '../server/kvServer.js'
import type { Changes, WatchOptions } from '../server/watch.js'
import type { Overloaded } from './outcome.js'

export interface WatchesOptions {
  readonly server: Pick<KvServer, 'store'> & { watch(options: WatchOptions): Observable<Changes> }
  /** Watches at a time; one more is `Overloaded`. */
  readonly maxWatches: number
  /** Revisions that may pass while a watch is paused; one more ends it with `TooSlow`. */
  readonly maxWatchBehind: number
  /** Between two signs of life. */
  readonly watchHeartbeatMs: number
}

export interface WatchRequest {
  readonly range: KeyRange
  /** The first revision to be told; null: the one after the present one. */
  readonly fromRevision: Revision | null
}

/** Why a watch did not begin. */
export type WatchRefusal = Overloaded | Compacted

/**
 * A watch that may begin. While `paused$` says true, it stands still in the history of the store: so the client's
 * connection is the only buffer. Fails with a `WatchError`.
 */
export type BeginWatch = (paused$: Observable<boolean>) => Observable<Changes>

/** Watches of the store of this server. Any server can be watched, so they are not brought to the leader. */
export class Watches {
  private watching = 0

  constructor(private readonly options: WatchesOptions) {}

  /** Watches that have begun and not ended. */
  get size(): number {
    return this.watching
  }

  watch({ range, fromRevision }: WatchRequest): either.Either<WatchRefusal, BeginWatch> {
    const { server, maxWatches, maxWatchBehind: maxBehind, watchHeartbeatMs: progressMs } = this.options
    if (this.watching >= maxWatches) return either.left({ _tag: 'Overloaded', limit: 'maxWatches' })
    const { compactRevision } = server.store()
    if (fromRevision !== null && fromRevision < compactRevision) return either.left({ _tag: 'Compacted', compactRevision })
    return either.right((paused$) =>
      defer(() => {
        this.watching++
        return server.watch({ range, paused$, maxBehind, progressMs, ...(fromRevision !== null && { fromRevision }) })
      }).pipe(finalize(() => this.watching--)),
    )
  }
}
