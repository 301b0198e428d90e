import { Subscription } from 'rxjs'
import { WatchInOrder } from '../checkers/watchInOrder.js'
import { oneOf } from './dice.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** Somebody who follows the applied commands, at one server and, when that stops, from there on at another. */
export class Watcher {
  private readonly watch: WatchInOrder
  private following: Subscription | undefined

  constructor(
    private readonly world: SimulatedCluster,
    private readonly die: () => number,
  ) {
    this.watch = new WatchInOrder(world.checks.record)
    this.follow()
  }

  private follow(): void {
    const { world } = this
    this.following?.unsubscribe()
    const running = world.homes.filter((home) => home.isUp && world.isMember(home))
    if (running.length === 0) return this.later()
    const { raft, id } = oneOf(this.die, running)
    const base = world.checks.record.servers.get(id)?.now.log.base.index ?? 0
    this.watch.skip(base)
    this.following = new Subscription()
    this.following.add(raft!.restore$.subscribe(({ index }) => this.watch.skip(index)))
    const followed = raft!.applyFrom(this.watch.next).subscribe({
      next: ({ index }) => {
        const wrong = this.watch.see(index)
        if (wrong !== null) world.fail(this.watch.name, `at ${id}: ${wrong}`)
      },
      complete: () => world.attempt(() => this.later()),
    })
    this.following.add(followed)
  }

  private later(): void {
    this.world.scheduler.schedule(() => this.follow(), 20)
  }
}
