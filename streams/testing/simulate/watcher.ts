import { Subscription } from 'rxjs'
import { WatchInOrder } from '../checkers/watchInOrder.js'
import type { SimulationContext } from './context.js'
import { oneOf } from './dice.js'
import type { SimulatedServer } from './simulatedServer.js'

const retryMs = 20

/** Follows the applied commands at one server and, when that stops, from there on at another. */
export class Watcher {
  private readonly watch: WatchInOrder
  private following: Subscription | undefined

  /** `candidates`: the servers that can be followed now. */
  constructor(
    private readonly context: SimulationContext,
    private readonly candidates: () => ReadonlyArray<SimulatedServer>,
    private readonly die: () => number,
  ) {
    this.watch = new WatchInOrder(context.observer.checks.record)
    this.follow()
  }

  private follow(): void {
    const { observer } = this.context
    this.following?.unsubscribe()
    const candidates = this.candidates()
    if (candidates.length === 0) return this.later()
    const { raft, id } = oneOf(this.die, candidates)
    const base = observer.checks.record.servers.get(id)?.now.log.base.index ?? 0
    this.watch.skip(base)
    this.following = new Subscription()
    this.following.add(raft!.restore$.subscribe(({ index }) => this.watch.skip(index)))
    const followed = raft!.applyFrom(this.watch.next).subscribe({
      next: ({ index }) => {
        const wrong = this.watch.see(index)
        if (wrong !== null) observer.fail(this.watch.name, `at ${id}: ${wrong}`)
      },
      complete: () => observer.attempt(() => this.later()),
    })
    this.following.add(followed)
  }

  private later(): void {
    this.context.scheduler.schedule(() => this.follow(), retryMs)
  }
}
