import { Redis } from 'ioredis'
import { asError } from '../../core/errors.ts'
import type { Address } from './address.ts'

/** `host:port` of who was the master and of who is now. */
export interface Switch {
  readonly from: string
  readonly to: string
}

/**
 * Listens to the sentinels of a group, and tells once of each change of its master. The old master may live on as one: for up to ten seconds, until it is made a replica, it
 * takes writes of those who don't know, and all of them are lost.
 */
export class Switches {
  readonly #clients: readonly Redis[]
  #last = ''

  constructor({ hosts, group, sentinelLogin, tls }: Address, onSwitch: (change: Switch) => void) {
    this.#clients = hosts.map(
      (host) => new Redis({ ...host, ...options, ...sentinelLogin, ...(tls ? { tls: {} } : {}) }),
    )
    for (const client of this.#clients) {
      // Others are listened to as well, and it is tried again.
      client.on('error', (error) => void asError(error))
      client.on('message', (_, text: string) => {
        const [name, host, port, nextHost, nextPort] = text.split(' ')
        const to = `${nextHost}:${nextPort}`
        if (name !== group || to === this.#last) return
        this.#last = to
        onSwitch({ from: `${host}:${port}`, to })
      })
      client.subscribe('+switch-master').catch(() => undefined)
    }
  }

  close(): void {
    for (const client of this.#clients) client.disconnect()
  }
}

const options = {
  protocol: 2 as const,
  maxRetriesPerRequest: null,
  keepAlive: 10_000,
  retryStrategy: (tries: number) => Math.min(100 * tries, 5_000),
}
