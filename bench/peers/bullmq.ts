import { fromPeers } from '../harness/peers.ts'
import { copies, type Payload, type PeerQueue } from './queue.ts'

/** BullMQ as its documentation shows it, defaults kept (finished jobs stay). */
interface BullMq {
  readonly Queue: new (name: string, options: Options) => Queue
  readonly Worker: new (
    name: string,
    run: (job: { data: Payload }) => Promise<void>,
    options: Options,
  ) => Worker
}

interface Options {
  readonly connection: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null }
  readonly concurrency?: number
}

interface Queue {
  add(name: string, data: Payload): Promise<unknown>
  addBulk(jobs: readonly { name: string; data: Payload }[]): Promise<unknown>
  waitUntilReady(): Promise<unknown>
}

interface Worker {
  waitUntilReady(): Promise<unknown>
}

/** Opens the queue on a Redis of this machine. */
export async function openBullMq(port: string): Promise<PeerQueue> {
  const { Queue, Worker } = fromPeers<BullMq>('bullmq')
  const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  await queue.waitUntilReady()
  return {
    add: (payload) => queue.add('noop', payload),
    async fill(count, payload) {
      for (let left = count; left > 0; left -= 1000)
        await queue.addBulk(copies(Math.min(left, 1000), payload).map((data) => ({ name: 'noop', data })))
    },
    async work(concurrency, run) {
      const worker = new Worker('bench', async ({ data }) => run(data), { connection, concurrency })
      await worker.waitUntilReady()
    },
  }
}
