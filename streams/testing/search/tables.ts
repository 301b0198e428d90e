import { InvariantViolation } from '../../../src/raft/error.js'
import { byCodeUnit, type NodeId } from '../../../src/raft/ids.js'
import type { RaftEvent } from '../../../src/raft/event.js'
import type { Message } from '../../../src/raft/messages.js'
import type { ClusterHistory } from '../properties.js'
import { keyOfHistory, noHistory, observed, renamedHistory, viewOf } from './history.js'
import { type MoveKind, moveKinds } from './bounds.js'
import { Interner } from './interner.js'
import { channelOf, keyOfMessage, placeAmongUnanswered, renamedMessage, type Renaming, withSeq } from './messages.js'
import { inItsLastLife, keyOfSite, renamedSite, renumbered, type Site } from './site.js'
import { isSpent, onceIsEnough, type Outlook } from './spent.js'
import { type SiteEvent, type SiteOptions, stepSite } from './siteStep.js'

/** How the numbers of requests that `leader` sent to `follower` changed: `numbers[old]` is the new one. */
export interface Renumbering {
  readonly leader: NodeId
  readonly follower: NodeId
  readonly term: number
  readonly numbers: ReadonlyArray<number>
  /** What was renumbered in this way before. */
  readonly known: { readonly sites: Map<number, number>; readonly messages: Map<number, number> }
}

/** What came of an event at a site, by numbers; or the invariant that did not hold. */
export interface Outcome {
  readonly site: number
  readonly sent: ReadonlyArray<number>
  readonly renumberings: ReadonlyArray<Renumbering>
  readonly violation: InvariantViolation | null
}

/**
 * Every site, message and history that the search has met, by number, and what is known of each: so
 * a state of the search is a handful of numbers, `step` runs once for each different site and event,
 * and the properties are checked once for each different view of the cluster.
 */
export class Tables {
  readonly sites = new Interner<Site>()
  readonly messages = new Interner<Message>()
  readonly histories = new Interner<ClusterHistory>()
  /** Every order of the servers: `permutations[p][i]` takes the place of `i`. */
  readonly permutations: ReadonlyArray<ReadonlyArray<number>>
  private readonly renumberings = new Interner<Renumbering>()
  private readonly views = new Interner<string>()
  private readonly colors = new Interner<string>()
  private readonly outcomes: Map<number, Outcome>[] = []
  private readonly observations = new Map<string, number>()
  private readonly receivers: number[] = []
  private readonly senders: number[] = []
  private readonly viewOfSite: number[] = []
  private readonly colorOfSite: number[] = []
  private readonly lastLives: number[] = []
  private readonly renamedSites: number[][]
  private readonly renamedMessages: number[][]
  private readonly renamedHistories: number[][]

  constructor(
    readonly ids: ReadonlyArray<NodeId>,
    private readonly options: SiteOptions,
    symmetry: boolean,
  ) {
    this.permutations = symmetry ? permutationsOf(ids.length) : [ids.map((_, i) => i)]
    this.renamedSites = this.permutations.map(() => [])
    this.renamedMessages = this.permutations.map(() => [])
    this.renamedHistories = this.permutations.map(() => [])
    this.history(noHistory)
  }

  site(site: Site): number {
    const key = keyOfSite(site)
    return this.sites.intern(key, () => {
      this.viewOfSite.push(this.views.intern(viewOf(site), () => ''))
      // The words of its key, without names and in no order of theirs.
      const words = key.replaceAll(/n\d/g, (id) => (id === site.server.id ? 'self' : 'other')).split(/[ ,|>]/)
      this.colorOfSite.push(this.colors.intern(words.sort(byCodeUnit).join(' '), () => ''))
      return site
    })
  }
  message(message: Message): number {
    return this.messages.intern(keyOfMessage(message), () => {
      this.receivers.push(this.ids.indexOf(message.to))
      this.senders.push(this.ids.indexOf(message.from))
      return message
    })
  }
  /** At which site it arrives. */
  receiver(message: number): number {
    return this.receivers[message - 1]!
  }
  history(history: ClusterHistory): number {
    return this.histories.intern(keyOfHistory(history), () => history)
  }

  /** Equal for sites that differ in names only, and seldom for others. */
  color(site: number): number {
    return this.colorOfSite[site - 1]!
  }
  view(site: number): number {
    return this.viewOfSite[site - 1]!
  }

  /**
   * What a move with this argument does to `site`. The argument is the message that arrives, the number of the command,
   * or how many writes or records.
   */
  outcome(site: number, kind: MoveKind, argument: number): Outcome {
    const known = (this.outcomes[site] ??= new Map())
    const key = argument * moveKinds.length + moveKinds.indexOf(kind)
    let outcome = known.get(key)
    if (outcome === undefined) known.set(key, (outcome = this.stepped(this.sites.at(site), this.eventOf(kind, argument))))
    return outcome
  }

  private eventOf(kind: MoveKind, argument: number): SiteEvent {
    const happens = (event: RaftEvent): SiteEvent => ({ _tag: 'Happens', event })
    switch (kind) {
      case 'timeout':
        return happens({ _tag: 'ElectionTimedOut', generation: 0 })
      case 'heartbeat':
        return happens({ _tag: 'HeartbeatDue', generation: 0 })
      case 'propose':
        return happens({ _tag: 'Proposed', request: argument, commands: [commandOf(argument)] })
      case 'flush':
        return happens({ _tag: 'Flush' })
      case 'persist':
        return { _tag: 'Persists', count: argument }
      case 'crash':
        return { _tag: 'Crashes', survive: argument }
      case 'deliver':
      case 'duplicate':
        return happens({ _tag: 'Received', message: this.messages.at(argument) })
    }
  }

  private stepped(before: Site, event: SiteEvent): Outcome {
    try {
      const { site, sent, server } = stepSite(before, event, this.options)
      return {
        site: this.site(site),
        sent: sent.map((message) => this.message(message)),
        renumberings: this.renumberingsOf(before, server),
        violation: null,
      }
    } catch (violation) {
      if (violation instanceof InvariantViolation) return { site: 0, sent: [], renumberings: [], violation }
      throw violation
    }
  }

  /**
   * How the numbers of requests changed, for each follower of a leader; for all followers if it does not lead that term
   * any more.
   */
  private renumberingsOf({ server }: Site, after: Site['server']): ReadonlyArray<Renumbering> {
    const { role, id: leader, currentTerm: term } = server
    if (role._tag !== 'Leader') return []
    return role.followers.flatMap(({ id: follower, inflight }) => {
      const numbers = [0, ...inflight.map(({ seq }) => placeAmongUnanswered({ follower, seq, term }, after))]
      if (numbers.every((number, i) => number === i)) return []
      const key = `${leader} ${follower} ${term} ${numbers.join()}`
      const known = { sites: new Map<number, number>(), messages: new Map<number, number>() }
      return [this.renumberings.at(this.renumberings.intern(key, () => ({ leader, follower, term, numbers, known })))]
    })
  }

  /** Whether a message can change nothing any more among these sites; see spent.ts. */
  isSpent(message: number, sites: ArrayLike<number>, outlook: Outlook): boolean {
    const m = this.messages.at(message)
    const receiver = sites[this.receivers[message - 1]!]!
    const sender = sites[this.senders[message - 1]!]!
    return (
      isSpent(m, this.sites.at(receiver), this.sites.at(sender), outlook) &&
      this.leadsNowhere(receiver, this.outcome(receiver, 'deliver', message), sites, outlook)
    )
  }
  /** Whether one of several equal messages is as good as all; see spent.ts. */
  onceIsEnough(message: number, sites: ArrayLike<number>, outlook: Outlook): boolean {
    return onceIsEnough(this.messages.at(message), this.sites.at(sites[this.receivers[message - 1]!]!), outlook)
  }
  /** Whether nothing comes of it but messages that change nothing any more. */
  leadsNowhere(site: number, { site: next, sent, violation }: Outcome, sites: ArrayLike<number>, outlook: Outlook): boolean {
    return next === site && violation === null && sent.every((message) => this.isSpent(message, sites, outlook))
  }

  renumberedSite(site: number, { leader, numbers, known }: Renumbering): number {
    let number = known.sites.get(site)
    if (number === undefined) {
      number = this.site(renumbered(this.sites.at(site), leader, (seq) => numbers[seq] ?? 0))
      known.sites.set(site, number)
    }
    return number
  }
  /** The message as its leader numbers it now. */
  renumberedMessage(message: number, renumbering: Renumbering): number {
    let number = renumbering.known.messages.get(message)
    if (number === undefined) {
      number = this.renumber(message, renumbering)
      renumbering.known.messages.set(message, number)
    }
    return number
  }
  private renumber(number: number, { leader, follower, term, numbers }: Renumbering): number {
    const message = this.messages.at(number)
    const channel = channelOf(message)
    if (channel?.leader !== leader || channel.follower !== follower || message.term !== term) return number
    return this.message(withSeq(message, numbers[channel.seq] ?? 0))
  }

  /** The history after a look at the sites; throws where a property does not hold. */
  observe(history: number, sites: ReadonlyArray<number>): number {
    let key = `${history}`
    for (const site of sites) key += `,${this.view(site)}`
    let next = this.observations.get(key)
    if (next === undefined) {
      const seen = observed(
        this.histories.at(history),
        sites.map((site) => this.sites.at(site)),
      )
      this.observations.set(key, (next = this.history(seen)))
    }
    return next
  }

  inItsLastLife(site: number): number {
    return (this.lastLives[site] ??= this.site(inItsLastLife(this.sites.at(site))))
  }

  renamedSite(p: number, site: number): number {
    return (this.renamedSites[p]![site] ??= this.site(renamedSite(this.sites.at(site), this.renaming(p))))
  }
  renamedMessage(p: number, message: number): number {
    return (this.renamedMessages[p]![message] ??= this.message(renamedMessage(this.messages.at(message), this.renaming(p))))
  }
  renamedHistory(p: number, history: number): number {
    return (this.renamedHistories[p]![history] ??= this.history(renamedHistory(this.histories.at(history), this.renaming(p))))
  }

  private renaming(p: number): Renaming {
    const { ids, permutations } = this
    return (id) => ids[permutations[p]![ids.indexOf(id)]!]!
  }
}

/** The commands that are proposed: `1`, `2`, …, as text. */
export const commandOf = (number: number): Uint8Array => Uint8Array.from(`${number}`, (digit) => digit.charCodeAt(0))

const permutationsOf = (length: number): ReadonlyArray<ReadonlyArray<number>> =>
  length === 0
    ? [[]]
    : permutationsOf(length - 1).flatMap((rest) => Array.from({ length }, (_, at) => [...rest.slice(0, at), length - 1, ...rest.slice(at)]))
