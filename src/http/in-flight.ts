import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { Wait } from './wait.ts'

/** The requests that have not been answered yet. */
export class InFlight {
  readonly #exchanges = new Set<Exchange>()
  readonly #emptied = new Wait()

  add(exchange: Exchange): void {
    this.#exchanges.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
    if (this.#exchanges.size === 0) this.#emptied.tell()
  }

  get all(): Iterable<Exchange> {
    return this.#exchanges
  }

  /** Those that came over one connection, in the order in which they came. Searches all of them: for rare troubles only. */
  of(socket: Socket): readonly Exchange[] {
    return [...this.#exchanges].filter((exchange) => exchange.request.raw.socket === socket)
  }

  /** Resolves when none is left, or after `ms`. */
  async empty(ms: number): Promise<void> {
    if (this.#exchanges.size > 0) await this.#emptied.atMost(ms)
  }
}
