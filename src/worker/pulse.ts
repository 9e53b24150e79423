import type { Reports } from './reports.ts'

/** Signs of life, every 100 ms while the executor has anything in hand. An idle one is silent and costs nothing. */
export class Pulse {
  readonly #isBusy: () => boolean
  readonly #reports: Reports
  #timer: NodeJS.Timeout | undefined

  constructor(isBusy: () => boolean, reports: Reports) {
    this.#isBusy = isBusy
    this.#reports = reports
  }

  start(): void {
    this.#timer ??= setTimeout(() => this.#tick(), intervalMs)
  }

  beat(): void {
    this.#reports.tell({ type: 'alive', rssMiB: process.memoryUsage.rss() / 2 ** 20 })
  }

  #tick(): void {
    this.#timer = undefined
    if (!this.#isBusy()) return
    this.beat()
    this.start()
  }
}

const intervalMs = 100
