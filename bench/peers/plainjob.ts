import { fromPeers } from '../harness/peers.ts'
import { copies, type Payload, type PeerQueue } from './queue.ts'

/** plainjob on better-sqlite3, as its documentation shows it: its worker runs one job after the other. */
interface Plainjob {
  better(database: unknown): unknown
  defineQueue(options: { connection: unknown; logger: Logger }): Queue
  defineWorker(
    type: string,
    run: (job: { data: string }) => void,
    options: { queue: Queue; logger: Logger },
  ): { start(): Promise<void> }
}

interface Queue {
  add(type: string, data: Payload): unknown
  addMany(type: string, data: readonly Payload[]): unknown
}

type Logger = Readonly<Record<'error' | 'warn' | 'info' | 'debug', (message: string) => void>>

// It would write lines for every job.
const logger: Logger = { error: console.error, warn: () => {}, info: () => {}, debug: () => {} }

/** Opens the queue in an SQLite file. */
export async function openPlainjob(file: string): Promise<PeerQueue> {
  const { better, defineQueue, defineWorker } = fromPeers<Plainjob>('plainjob')
  const Database = fromPeers<new (file: string) => unknown>('better-sqlite3')
  const queue = defineQueue({ connection: better(new Database(file)), logger })
  return {
    add: async (payload) => queue.add('noop', payload),
    async fill(count, payload) {
      queue.addMany('noop', copies(count, payload))
    },
    async work(_concurrency, run) {
      const worker = defineWorker('noop', ({ data }) => run(JSON.parse(data)), { queue, logger })
      void worker.start()
    },
  }
}
