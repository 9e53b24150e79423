import type { ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import { Wait } from './wait.ts'

/** The requests that have not been answered yet. Their places are used again: nothing grows, and nothing is looked up, while requests come and go. */
export class InFlight {
  readonly #places: (Exchange | undefined)[] = []
  readonly #free: number[] = []
  readonly #emptied = new Wait()

  add(exchange: Exchange): void {
    exchange.place = this.#free.pop() ?? this.#places.length
    this.#places[exchange.place] = exchange
  }

  delete(exchange: Exchange): void {
    if (this.#places[exchange.place] !== exchange) return
    this.#places[exchange.place] = undefined
    this.#free.push(exchange.place)
    if (this.#isEmpty) this.#emptied.tell()
  }

  *all(): Generator<Exchange, undefined> {
    for (const exchange of this.#places) if (exchange !== undefined) yield exchange
  }

  /** The one that a reply is for. Searches all of them: for rare troubles only. */
  of(reply: ServerResponse): Exchange | undefined {
    return this.#places.find((exchange) => exchange?.reply.raw === reply)
  }

  /** Resolves when none is left, or after `ms`. */
  async empty(ms: number): Promise<void> {
    if (!this.#isEmpty) await this.#emptied.atMost(ms)
  }

  get #isEmpty(): boolean {
    return this.#free.length === this.#places.length
  }
}
