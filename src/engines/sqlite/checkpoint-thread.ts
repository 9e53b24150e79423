import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Ending } from './checkpoints.ts'

/**
 * One checkpoint of the store in the file that the thread is started with. First what can be copied beside the writers, and what they have added meanwhile;
 * then, with the write lock, the rest, so that the log begins anew: a log that is never copied as a whole only grows.
 */
const fewPages = 2_000
const mostPasses = 4
const database = new DatabaseSync(String(workerData), { timeout: 200 })
database.exec('PRAGMA fullfsync = ON')
let { left, copied } = copy()
let isHindered = false
for (let pass = 1; pass < mostPasses && left >= fewPages && !isHindered; pass++) {
  const next = copy()
  isHindered = next.copied === copied
  left = next.left
  copied = next.copied
}
// Somebody reads from far back in the log: to wait for him would keep writers waiting, and come to nothing.
parentPort?.postMessage(isHindered ? 'hindered' : restart())
database.close()

/** Copies what it can; gives the pages of the log that are copied by now, and those that are left. */
function copy(): { readonly left: number; readonly copied: number } {
  const [{ log, checkpointed } = {}] = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').all()
  return { left: Number(log) - Number(checkpointed), copied: Number(checkpointed) }
}

function restart(): Ending {
  const [{ busy } = {}] = database.prepare('PRAGMA wal_checkpoint(RESTART)').all()
  return busy === 0 ? 'begun anew' : 'crowded out'
}
