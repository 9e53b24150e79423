import { setTimeout as delay } from 'node:timers/promises'

/** How fast something gets through its tasks. */
export interface Drained {
  /** Asks how many are done. Costs something, so it is asked rarely. */
  done(): Promise<number>
  readonly total: number
  /** How long to watch, from the first twentieth on. Default 3. */
  readonly seconds?: number
}

/** Tasks per second, from when a twentieth is done until 95 % are, or for so many seconds: neither start nor end is in it. */
export async function drainRate({ done, total, seconds = 3 }: Drained): Promise<number> {
  const start = await reach(total * 0.05, done)
  let now = start
  while (now.done < total * 0.95 && now.at - start.at < seconds * 1000) {
    await delay(50)
    now = await look(done)
  }
  return ((now.done - start.done) / (now.at - start.at)) * 1000
}

interface Look {
  readonly at: number
  readonly done: number
}

async function reach(count: number, done: () => Promise<number>): Promise<Look> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const now = await look(done)
    if (now.done >= count) return now
    if (now.at > deadline) throw new Error(`only ${now.done} tasks were done in two minutes`)
    await delay(10)
  }
}

async function look(done: () => Promise<number>): Promise<Look> {
  const count = await done()
  return { at: performance.now(), done: count }
}
