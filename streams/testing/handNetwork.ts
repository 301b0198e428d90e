import type { NodeId } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'

/** The links of a cluster by hand: the messages that are under way, and which links are cut. */
export class HandNetwork {
  private readonly links = new Map<string, ReadonlyArray<Message>>()
  private readonly cuts = new Set<string>()

  /** Messages under way, oldest first. */
  between(from: NodeId, to: NodeId): ReadonlyArray<Message> {
    return this.links.get(link(from, to)) ?? []
  }

  /** Takes the n-th oldest message off its link. */
  take(from: NodeId, to: NodeId, n: number): Message {
    const messages = this.between(from, to)
    const message = messages[n - 1]
    if (message === undefined) throw new Error(`${messages.length} messages are under way from ${from} to ${to}: there is no #${n}`)
    const others = messages.filter((_, i) => i !== n - 1)
    this.links.set(link(from, to), others)
    return message
  }

  /** Puts a message on its link, as the youngest; false if the link is cut. */
  post(message: Message): boolean {
    const { from, to } = message
    if (this.isCut(from, to)) return false
    this.links.set(link(from, to), [...this.between(from, to), message])
    return true
  }

  /** Cuts all links between the two groups. Messages under way on them are lost. */
  cut(some: ReadonlyArray<NodeId>, others: ReadonlyArray<NodeId>): void {
    for (const [from, to] of [...pairs(some, others), ...pairs(others, some)]) {
      this.cuts.add(link(from, to))
      this.links.delete(link(from, to))
    }
  }

  heal(): void {
    this.cuts.clear()
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cuts.has(link(from, to))
  }
}

const link = (from: NodeId, to: NodeId): string => `${from}→${to}`

const pairs = (some: ReadonlyArray<NodeId>, others: ReadonlyArray<NodeId>): ReadonlyArray<readonly [NodeId, NodeId]> =>
  some.flatMap((a) => others.map((b) => [a, b] as const))
