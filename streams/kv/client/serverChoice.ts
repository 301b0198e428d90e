import { BehaviorSubject } from 'rxjs'
import type { ClientTuning } from './options.js'
import type { Standing } from './verdict.js'

/**
 * Hints that are followed without a pause: two servers that each take the other for the leader must not make a client
 * spin.
 */
const maxHops = 2

/**
 * The choice of the server to ask: a client takes one for the leader until it proves otherwise. Each report says how
 * long to wait before the next try, in milliseconds. A report about a server that is not asked any more changes
 * nothing.
 */
export class ServerChoice {
  readonly target$: BehaviorSubject<string>
  private hops = 0
  private failures = 0

  constructor(
    private readonly endpoints: ReadonlyArray<string>,
    private readonly tuning: Pick<ClientTuning, 'backoffMs' | 'random'>,
  ) {
    this.target$ = new BehaviorSubject(endpoints[0]!)
  }

  get target(): string {
    return this.target$.value
  }

  report(by: string, standing: Exclude<Standing, { readonly _tag: 'TakesLess' }>): number {
    switch (standing._tag) {
      case 'Leads':
        return this.answered()
      case 'DoesNotLead':
        return this.misdirected(by, standing.leader)
      case 'Busy':
        return this.backoffMs()
      case 'Fails':
        return this.failed(by)
    }
  }

  answered(): number {
    this.hops = 0
    this.failures = 0
    return 0
  }

  private misdirected(by: string, leader: string | null): number {
    if (by !== this.target) return 0
    if (leader === null || leader === by || this.hops === maxHops) return this.failed(by)
    this.hops++
    this.target$.next(leader)
    return 0
  }

  failed(by: string): number {
    if (by !== this.target) return 0
    this.hops = 0
    const place = this.endpoints.indexOf(by)
    this.target$.next(this.endpoints[(place + 1) % this.endpoints.length]!)
    return this.backoffMs()
  }

  private backoffMs(): number {
    const {
      backoffMs: { min, max },
      random,
    } = this.tuning
    const boundMs = Math.min(max, min * 2 ** Math.min(this.failures++, 30))
    return Math.ceil(boundMs / 2 + (random() * boundMs) / 2)
  }
}
