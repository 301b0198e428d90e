import type { InvariantViolation } from '../../../src/raft/error.js'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import { ClusterByHand } from '../cluster.js'
import { commands } from '../transcriptCommands.js'
import { channelOf, keyOfMessage, placeOfSeq, renamedMessage, type Renaming, withSeq } from './messages.js'
import { canonical, inItsLastLife, keyOfSite, renamedSite } from './site.js'
import { type ExploreOptions, isViolation, type Move, type StateNumbers, Successors } from './successors.js'

/**
 * A way that the search took, played on a whole cluster by hand (cluster.ts) and told as a transcript
 * (transcript.ts). The cluster knows nothing of canonical states and of other names: if it breaks the
 * same invariant, the search did not make it up; if it cannot go the way, an `Error` says where.
 */
export const retell = (options: ExploreOptions, way: ReadonlyArray<number>, violation: InvariantViolation): string => {
  const { bounds, settings, step } = options
  const successors = new Successors(options)
  const teller = new Teller(successors, new ClusterByHand({ size: bounds.servers, settings, step }), options)
  let state = successors.initial()
  try {
    for (const number of way) {
      const { move, next } = nthFrom(successors, state, number)
      teller.play(move)
      if (next === null) continue
      state = next
      teller.compare(next)
    }
  } catch (error) {
    if (!isViolation(error)) throw error
    return teller.textOf(error)
  }
  return teller.textOf(violation)
}

/** The n-th move from a state, and the state it leads to: null if it breaks an invariant. */
const nthFrom = (successors: Successors, state: StateNumbers, n: number): { readonly move: Move; readonly next: StateNumbers | null } => {
  let count = 0
  let found: { readonly move: Move; readonly next: StateNumbers } | null = null
  try {
    successors.from(state, 0, () => {
      if (count++ === n) found = { move: { ...successors.move }, next: successors.next.slice() }
    })
  } catch (error) {
    if (!isViolation(error)) throw error
  }
  return found ?? { move: { ...successors.move, lost: [], permutation: 0 }, next: null }
}

class Teller {
  private readonly blocks: string[]
  /** Whom the search calls by its i-th name. */
  private names: ReadonlyArray<NodeId>

  constructor(
    private readonly successors: Successors,
    private readonly cluster: ClusterByHand,
    private readonly options: ExploreOptions,
  ) {
    this.names = successors.ids
    this.blocks = [`cluster ${successors.ids.length}`]
  }

  play({ kind, server, argument, lost, permutation }: Move): void {
    const id = this.names[server]!
    switch (kind) {
      case 'timeout':
      case 'heartbeat':
      case 'flush':
        this.tell(kind, id)
        break
      case 'propose':
        this.tell('propose', id, `${argument}`)
        break
      case 'persist':
        this.tell('persist', id, `#${this.cluster.server(id).writeProgress.acknowledged + argument}`)
        break
      case 'crash': {
        const { unsynced } = this.cluster.at(id)
        this.block(
          `# Of the ${unsynced.length} records that were not acknowledged the first ${argument} are on its disk.\ncrash ${id}`,
          () => {
            this.cluster.crash(id, argument)
            return []
          },
        )
        this.tell('restart', id)
        break
      }
      case 'duplicate':
        this.tell('duplicate', ...this.find(argument))
        this.tell('deliver', ...this.find(argument))
        break
      case 'deliver':
        this.tell('deliver', ...this.find(argument))
        break
    }
    if (this.cluster.at(id).applying.length > 0) this.tell('apply', id)
    if (this.cluster.at(id).flushDue && !this.options.longTurns) this.tell('flush', id)
    for (const message of lost) this.tell('drop', ...this.find(message))
    const to = this.successors.tables.permutations[permutation]!
    const { names } = this
    this.names = names.map((_, i) => names[to.indexOf(i)]!)
  }

  /** Throws where the cluster is not as the search has it, names aside. */
  compare(state: StateNumbers): void {
    const { crashes } = this.successors.outlookOf(state)
    this.names.forEach((id, i) => {
      const { server, disk, unsynced, waiting, flushDue } = this.cluster.at(id)
      const sends = waiting.flatMap((it) => (it._tag === 'Send' ? [{ ...it, message: this.known(it.message) }] : []))
      const site = canonical({ server: server!, disk, unsynced, waiting: sends, flushDue }, this.options.silences)
      const expected = renamedSite(this.successors.tables.sites.at(state[i]!), this.renaming)
      const key = keyOfSite(crashes ? site : inItsLastLife(site))
      if (key !== keyOfSite(expected))
        throw new Error(`the search has ${keyOfSite(expected)}, but it is ${key}\n${this.blocks.join('\n\n')}`)
    })
  }

  textOf(violation: InvariantViolation): string {
    return [...this.blocks, violation.message].join('\n\n')
  }

  private tell(name: string, ...words: ReadonlyArray<string>): void {
    this.block([name, ...words].join(' '), () => commands[name]!(this.cluster, words))
  }

  private block(text: string, play: () => ReadonlyArray<string>): void {
    const place = this.blocks.push(text) - 1
    const output = play()
    if (output.length > 0) this.blocks[place] = [text, '----', ...output].join('\n')
  }

  /** Where a message of the search is in the cluster: `n1 → n2 #2`. */
  private find(number: number): ReadonlyArray<string> {
    const { tables } = this.successors
    const message = renamedMessage(tables.messages.at(number), this.renaming)
    const key = keyOfMessage(message)
    // Of some it does not matter who sent them.
    for (const from of this.cluster.ids) {
      const nth = this.cluster.between(from, message.to).findIndex((it) => keyOfMessage(this.known(it)) === key)
      if (nth >= 0) return [from, '→', message.to, `#${nth + 1}`]
    }
    throw new Error(`what the search took for under way is not: ${key}\n${this.blocks.join('\n\n')}`)
  }

  private readonly renaming: Renaming = (id) => this.names[this.successors.ids.indexOf(id)]!

  /** With the number that it has in the search. */
  private known(message: Message): Message {
    const channel = channelOf(message)
    const leader = channel === null ? null : this.cluster.at(channel.leader).server
    return withSeq(message, placeOfSeq(message, leader))
  }
}
