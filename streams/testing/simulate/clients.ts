import { Client, type ClientGroup } from './client.js'
import type { SimulationContext } from './context.js'
import { Offers } from './offers.js'
import type { SimulatedServer } from './simulatedServer.js'

export interface ClientsOptions {
  /** One for each client. */
  readonly seeds: ReadonlyArray<number>
  /** By all clients together; 0: there are no clients. */
  readonly operationsPerSecond: number
  /** Decides which answers are lost. */
  readonly random: () => number
}

/** The clients of a simulation, and what they share. */
export class Clients implements ClientGroup {
  readonly offers: Offers
  areCalling = true
  /** The probability with which an answer is lost. */
  loss = 0
  lostAnswers = 0
  /** Answers that came, lost or not. */
  answers = 0
  private readonly clients: ReadonlyArray<Client>
  private readonly random: () => number
  private lastId: number

  constructor(
    { seeds, operationsPerSecond, random }: ClientsOptions,
    readonly servers: ReadonlyArray<SimulatedServer>,
    context: SimulationContext,
  ) {
    this.offers = new Offers(context.workload.codec)
    this.random = random
    this.lastId = seeds.length
    const everyMs = Math.max(1, Math.round((seeds.length * 1_000) / operationsPerSecond))
    this.clients = operationsPerSecond === 0 ? [] : seeds.map((seed, i) => new Client(i + 1, seed, everyMs, context, this))
  }

  get count(): number {
    return this.clients.length
  }

  get areIdle(): boolean {
    return this.clients.every(({ isIdle }) => isIdle)
  }

  nextId(): number {
    return ++this.lastId
  }

  losesAnswer(): boolean {
    this.answers++
    const loses = this.loss > 0 && this.random() < this.loss
    if (loses) this.lostAnswers++
    return loses
  }
}
