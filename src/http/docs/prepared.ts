import { stat } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Preparation, Prepared } from './preparing.ts'

/** Keeps what was prepared, by name; the same thing is prepared once, and anew where its file has changed. */
export class PreparedThings {
  readonly #known = new Map<string, { readonly stamp: string; readonly prepared: Promise<Prepared> }>()

  async get(name: string, preparation: Preparation): Promise<Prepared> {
    const stamp = 'file' in preparation ? await stampOf(preparation.file) : ''
    const known = this.#known.get(name)
    if (known?.stamp === stamp) return await known.prepared
    const prepared = inThread(preparation)
    this.#known.set(name, { stamp, prepared })
    // One that has failed is tried again.
    prepared.catch(() => this.#known.delete(name))
    return await prepared
  }
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file)
  return `${mtimeMs} ${size} ${ino}`
}

function inThread(preparation: Preparation): Promise<Prepared> {
  const { promise, resolve, reject } = Promise.withResolvers<Prepared>()
  const thread = new Worker(threadFile, { workerData: preparation })
  // A server that stops doesn't wait for it.
  thread.unref()
  thread.once('message', resolve)
  thread.once('error', reject)
  return promise
}

const threadFile = new URL(
  `./preparing-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)
