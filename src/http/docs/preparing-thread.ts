import { parentPort, workerData } from 'node:worker_threads'
import { type Preparation, prepare } from './preparing.ts'

/** What the thread of a preparation runs. Started by prepared.ts only, with this. */
const { gzipped, etag } = await prepare(workerData as Preparation)
parentPort?.postMessage({ gzipped, etag })
