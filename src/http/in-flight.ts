import type { Socket } from 'node:net'
import { BoxedMap } from '../core/boxed-map.ts'
import type { Exchange } from './exchange.ts'
import { Wait } from './wait.ts'

/** The requests that have not been answered yet. */
export class InFlight {
  readonly #exchanges = new BoxedMap<number, Exchange>()
  readonly #emptied = new Wait()

  add(exchange: Exchange): void {
    this.#exchanges.set(exchange.number, exchange)
  }

  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange.number)
    if (this.#exchanges.size === 0) this.#emptied.tell()
  }

  get all(): Iterable<Exchange> {
    return this.#exchanges.values()
  }

  /** Those that came over one connection, in the order in which they came. Searches all of them: for rare troubles only. */
  of(socket: Socket): readonly Exchange[] {
    return [...this.#exchanges.values()].filter((exchange) => exchange.request.raw.socket === socket)
  }

  /** Resolves when none is left, or after `ms`. */
  async empty(ms: number): Promise<void> {
    if (this.#exchanges.size > 0) await this.#emptied.atMost(ms)
  }
}
