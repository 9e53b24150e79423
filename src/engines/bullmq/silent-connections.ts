import type { Redis } from 'ioredis'
import { unanswered } from './failures.ts'

export interface Limits {
  /** How long nothing may come once all that was sent has arrived, in ms. */
  readonly ms: number
  /** The slowest network that is waited for, in bytes per ms. */
  readonly slowestRate: number
}

const lookEveryMs = 500
/** How long it is waited at most for what was sent to arrive: whether the network is cut must be known before leases run out. */
const longestWayMs = 15_000

/**
 * Gives up a connection on which commands are under way and nothing comes, though all that was sent would have arrived over the slowest network. (ioredis'
 * `socketTimeout` knows one time for all: a command that takes longer to send would end every connection, again and again.)
 */
export function endSilentConnections(client: Redis, where: string, limits: Limits): void {
  client.on('connect', () => {
    const { stream } = client
    const silence = new Silence(client, limits)
    const giveUp = () => stream.destroy(unanswered(where, limits.ms))
    const look = setInterval(() => silence.isTooLong() && giveUp(), lookEveryMs).unref()
    // After ioredis' own listener, which knows by then what is answered.
    stream.on('data', () => silence.end())
    // What this process still holds: Node sees whether that goes on.
    stream.setTimeout(limits.ms + longestWayMs).on('timeout', () => stream.writableLength > 0 && giveUp())
    stream.once('close', () => clearInterval(look))
  })
}

/** How long nothing has come, on one connection. */
class Silence {
  readonly #client: Redis
  readonly #limits: Limits
  #heardAt = performance.now()
  /** When the slowest network would have brought all that was sent. */
  #arrivedAt = 0
  /** Bytes, up to which that is so. */
  #counted = 0
  /** The same of what was sent before the silence began: what is sent into it does not begin it anew. */
  #expectedAt = 0
  #wasIdle = true

  constructor(client: Redis, limits: Limits) {
    this.#client = client
    this.#limits = limits
  }

  end(): void {
    this.#count()
    this.#begin()
  }

  isTooLong(): boolean {
    const { commandQueue, stream } = this.#client
    this.#count()
    const isIdle = commandQueue.length === 0
    if (isIdle || this.#wasIdle || stream.writableLength > 0) this.#begin()
    this.#wasIdle = isIdle
    const expectedAt = Math.min(this.#expectedAt, this.#heardAt + longestWayMs)
    return performance.now() - Math.max(this.#heardAt, expectedAt) >= this.#limits.ms
  }

  #begin(): void {
    this.#heardAt = performance.now()
    this.#expectedAt = this.#arrivedAt
  }

  #count(): void {
    const { commandQueue, stream } = this.#client
    const now = performance.now()
    const ms = (stream.bytesWritten - this.#counted) / this.#limits.slowestRate
    this.#counted = stream.bytesWritten
    this.#arrivedAt = commandQueue.length === 0 ? now : Math.max(this.#arrivedAt, now) + ms
  }
}
