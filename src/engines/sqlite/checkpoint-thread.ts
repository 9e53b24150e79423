import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

/**
 * One checkpoint of the store in the file that the thread is started with. First what can be copied beside the writers; then, with the write lock and
 * for the little they have added since, the rest, so that the log begins anew: a log that is never copied as a whole only grows.
 */
const database = new DatabaseSync(String(workerData), { timeout: 200 })
database.exec('PRAGMA fullfsync = ON; PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(RESTART)')
database.close()
