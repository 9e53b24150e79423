import { Worker } from 'node:worker_threads'
import type { DamageMark } from './damage.ts'

/**
 * Looks at a store that is known to be damaged, now and then, whether it is whole again: a backup may have been copied over it, or what was damaged was the log that
 * a restart has left out. In a thread, since it reads all of the file. Short-lived processes are over before the first look.
 */
export class Recheck {
  readonly #file: string
  readonly #damage: Pick<DamageMark, 'isSet' | 'remove'>
  #thread: Worker | undefined
  #alarm: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(file: string, damage: Pick<DamageMark, 'isSet' | 'remove'>) {
    this.#file = file
    this.#damage = damage
    this.#lookIn(firstMs)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#alarm)
    await this.#thread?.terminate()
  }

  #lookIn(ms: number): void {
    if (!this.#isClosed) this.#alarm = setTimeout(() => this.#look(), ms).unref()
  }

  #look(): void {
    if (this.#damage.isSet()) this.#check()
    else this.#lookIn(everyMs)
  }

  #check(): void {
    try {
      this.#checkIn(new Worker(threadFile, { workerData: this.#file }))
    } catch {
      // A system that can't start a thread now.
      this.#lookIn(everyMs)
    }
  }

  #checkIn(thread: Worker): void {
    const began = performance.now()
    this.#thread = thread
    thread.unref()
    // Said by integrity-thread.ts.
    thread.on('message', (isWhole: boolean) => {
      if (isWhole) this.#damage.remove()
    })
    // What can't be looked through is not whole.
    thread.on('error', () => undefined)
    thread.on('exit', () => {
      this.#thread = undefined
      this.#lookIn(Math.max(everyMs, restPerLook * (performance.now() - began)))
    })
  }
}

const firstMs = 1_000
const everyMs = 5_000
/** How long is rested after a look, by how long it took. */
const restPerLook = 20

// Built or run from source: this file's own ending tells.
const threadFile = new URL(
  `./integrity-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)
