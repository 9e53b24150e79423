import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

/**
 * One checkpoint of the store in the file that the thread is started with. First what can be copied beside the writers; then, with the write lock and
 * for the little they have added since, the rest, so that the log begins anew: a log that is never copied as a whole only grows.
 */
const database = new DatabaseSync(String(workerData), { timeout: 200 })
database.exec('PRAGMA fullfsync = ON')
const [copying = {}] = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').all()
const leftPages = Number(copying.log) - Number(copying.checkpointed)
// More than writers add meanwhile: somebody reads from far back in the log. To wait for him would keep writers waiting, and come to nothing.
if (leftPages < 2_000) database.exec('PRAGMA wal_checkpoint(RESTART)')
database.close()
