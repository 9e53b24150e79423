import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** Looks through the store in the file that the thread is started with, up to the first damage: a second and a half for each GB. */
const database = new DatabaseSync(String(workerData), { timeout: 200, readOnly: true })
const [found] = database.prepare('PRAGMA integrity_check(1)').all()
database.close()
parentPort?.postMessage(found?.integrity_check === 'ok')
