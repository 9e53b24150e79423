import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Ending } from './log-length.ts'

/**
 * One checkpoint of the store in the file that the thread is started with. First what can be copied beside the writers, and what they have added meanwhile;
 * then, with the write lock, the rest, so that the log begins anew: a log that is never copied as a whole only grows.
 */
const fewPages = 2_000
const mostPasses = 4
const database = new DatabaseSync(String(workerData), { timeout: 200 })
database.exec('PRAGMA fullfsync = ON')
parentPort?.postMessage(isHindered() ? 'hindered' : restart())
database.close()

/**
 * Copies as long as writers have added much during the last pass, and tells whether somebody is in the way: who reads from a point of the log on which it
 * can't be copied, or copies it himself. To wait for him would keep writers waiting, and come to nothing.
 */
function isHindered(): boolean {
  let last = copy()
  for (let pass = 1; pass < mostPasses; pass++) {
    const next = copy()
    if (next.pages < 0 || (next.copied === last.copied && next.copied < next.pages)) return true
    if (next.pages - last.pages < fewPages) return false
    last = next
  }
  return false
}

/** Copies what it can; gives how many pages the log had when it began, and how many of them are copied. -1 where somebody else is at it. */
function copy(): { readonly pages: number; readonly copied: number } {
  const [{ log, checkpointed } = {}] = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').all()
  return { pages: Number(log), copied: Number(checkpointed) }
}

function restart(): Ending {
  const [{ busy } = {}] = database.prepare('PRAGMA wal_checkpoint(RESTART)').all()
  return busy === 0 ? 'begun anew' : 'crowded out'
}
