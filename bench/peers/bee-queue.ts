import { fromPeers } from '../harness/peers.ts'
import { copies, type Payload, type PeerQueue } from './queue.ts'

/** bee-queue as its documentation shows it, defaults kept (finished jobs stay). */
type BeeQueue = new (name: string, options: { redis: { host: string; port: number } }) => Queue

interface Queue {
  createJob(data: Payload): Job
  saveAll(jobs: readonly Job[]): Promise<unknown>
  process(concurrency: number, run: (job: { data: Payload }) => Promise<void>): void
  ready(): Promise<unknown>
}

interface Job {
  save(): Promise<unknown>
}

/** Opens the queue on a Redis of this machine. */
export async function openBeeQueue(port: string): Promise<PeerQueue> {
  const Queue = fromPeers<BeeQueue>('bee-queue')
  const queue = new Queue('bench', { redis: { host: '127.0.0.1', port: Number(port) } })
  await queue.ready()
  return {
    add: (payload) => queue.createJob(payload).save(),
    async fill(count, payload) {
      for (let left = count; left > 0; left -= 1000)
        await queue.saveAll(copies(Math.min(left, 1000), payload).map((data) => queue.createJob(data)))
    },
    async work(concurrency, run) {
      queue.process(concurrency, async ({ data }) => run(data))
    },
  }
}
