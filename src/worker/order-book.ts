import type { Outcome } from '../engines/engine.ts'
import type { OpenedOrder } from './attempt.ts'
import { type Order, type ToExecutor, unpackOrders } from './channel.ts'
import { monotonicMs } from './clock.ts'
import { Pulse } from './pulse.ts'
import type { Reports } from './reports.ts'

/**
 * The attempts in an executor's hands: those that run, at most `concurrency`, and those that wait. Begins them in the order they came, hands back what
 * could not be begun in time, and lets the loop breathe between short ones.
 */
export interface OrderBookOptions {
  readonly concurrency: number
  readonly reports: Reports
  /** Says which order was come to last. */
  readonly mark: (number: number) => void
  /** Makes ready to run what has come together. */
  readonly open: (orders: readonly Order[]) => readonly OpenedOrder[]
  /** Runs one attempt; never rejects. */
  readonly run: (order: OpenedOrder) => Promise<Outcome>
}

export class OrderBook {
  readonly #options: OrderBookOptions
  readonly #waiting: Waiting[] = []
  readonly #pulse: Pulse
  #next = 0
  #running = 0
  #turnEnds = 0
  #breathing = false
  #closed = false
  #whenEmpty: (() => void) | undefined

  constructor(options: OrderBookOptions) {
    this.#options = options
    this.#pulse = new Pulse(() => this.#running > 0 || this.#next < this.#waiting.length, options.reports)
  }

  hear(said: ToExecutor): void {
    if (said.type === 'run') this.#accept(said)
    else if (said.type === 'ping') this.#pulse.beat()
  }

  /** Hands back what waits and begins nothing more; resolves when nothing runs. */
  async close(): Promise<void> {
    this.#closed = true
    this.#breathing = false
    this.#begin()
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
  }

  #accept({ startBy, orders }: Extract<ToExecutor, { type: 'run' }>): void {
    for (const order of this.#options.open(unpackOrders(orders))) this.#waiting.push({ order, startBy })
    this.#pulse.start()
    this.#turnEnds = monotonicMs() + longestTurnMs
    this.#begin()
  }

  #begin(): void {
    while (!this.#breathing && (this.#closed || this.#running < this.#options.concurrency)) {
      const next = this.#take()
      if (next === undefined) return
      this.#beginOne(next)
    }
  }

  #take(): Waiting | undefined {
    const next = this.#waiting[this.#next]
    if (next === undefined) return undefined
    this.#next++
    if (this.#next === this.#waiting.length || this.#next === 256) {
      this.#waiting.splice(0, this.#next)
      this.#next = 0
    }
    return next
  }

  /** The mark comes before the look at the clock: an order whose mark the worker does not see in time can't be begun later. */
  #beginOne({ order, startBy }: Waiting): void {
    this.#options.mark(order.number)
    const now = monotonicMs()
    if (this.#closed || now > startBy) {
      this.#options.reports.back(order.number)
      return
    }
    this.#running++
    void this.#run(order, now)
    if (now > this.#turnEnds) this.#breathe()
  }

  async #run(order: OpenedOrder, began: number): Promise<void> {
    const outcome = await this.#options.run(order)
    this.#options.reports.ended({ number: order.number, outcome, ms: monotonicMs() - began })
    this.#running--
    if (this.#closed && this.#running === 0) this.#whenEmpty?.()
    this.#begin()
  }

  /** Many short tasks in a row would keep messages and timers waiting. */
  #breathe(): void {
    this.#breathing = true
    setImmediate(() => {
      this.#breathing = false
      this.#turnEnds = monotonicMs() + longestTurnMs
      this.#begin()
    })
  }
}

interface Waiting {
  readonly order: OpenedOrder
  readonly startBy: number
}

const longestTurnMs = 10
