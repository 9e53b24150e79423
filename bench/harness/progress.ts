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
export async function drainRate(drained: Drained): Promise<number> {
  return (await drainWindow(drained, () => undefined)).perSecond
}

/** What went on between the two ends of a window, and what was read at each. */
export interface DrainWindow<T> {
  readonly tasks: number
  readonly perSecond: number
  readonly before: T
  readonly after: T
}

/** The same window, with what `read` says at its ends. */
export async function drainWindow<T>(
  { done, total, seconds = 3 }: Drained,
  read: () => T,
): Promise<DrainWindow<T>> {
  const start = await reach(total * 0.05, done)
  const before = read()
  let now = start
  while (now.done < total * 0.95 && now.at - start.at < seconds * 1000) {
    await delay(50)
    now = await look(done)
  }
  const tasks = now.done - start.done
  return { tasks, perSecond: (tasks / (now.at - start.at)) * 1000, before, after: read() }
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
