import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { asyncTask, currentTask } from 'macaron'
import { record } from '../bench/record.ts'

/** Every task writes down when it starts and ends, under the key that its request gave. */

const note = asyncTask(async function note(key: string) {
  record({ phase: 'start', key })
  record({ phase: 'end', key })
})

const work = asyncTask(async function work(key: string, ms: number) {
  record({ phase: 'start', key })
  await delay(ms)
  record({ phase: 'end', key })
})

/** Runs until there is a file `let-go` in the service's folder. */
const hold = asyncTask(async function hold(key: string) {
  record({ phase: 'start', key })
  while (!existsSync(join(import.meta.dirname, '..', 'let-go'))) await delay(20)
  record({ phase: 'end', key })
})

/** Never lets its event loop go on. Waits instead of computing: for everyone else it is the same, but for the processor. */
const block = asyncTask(async function block(key: string, ms: number) {
  record({ phase: 'start', key })
  const end = performance.now() + ms
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4))
  while (performance.now() < end) {
    Atomics.wait(nobodyWakes, 0, 0, 25)
    record({ phase: 'beat', key })
  }
  record({ phase: 'end', key })
})

/** Takes its executor along. */
const poison = asyncTask(async function poison(key: string, ms: number) {
  record({ phase: 'start', key })
  await delay(ms)
  process.kill(process.pid, 'SIGKILL')
})

/** Leaves a rejection behind that nobody handles, which ends a Node process. */
const careless = asyncTask(async function careless(key: string) {
  record({ phase: 'start', key })
  void Promise.reject(new Error('nobody caught this'))
  await delay(5000)
})

const fail = asyncTask(
  async function fail(key: string, times: number) {
    const attempt = currentTask()?.attempt ?? 0
    record({ phase: 'start', key })
    record({ phase: 'end', key, failed: attempt <= times })
    if (attempt <= times) throw new Error(`As the test asked, the ${attempt}. time`)
  },
  { retries: 3, backoff: { type: 'fixed', delay: '200ms' } },
)

const once = asyncTask(
  async function once(key: string, ms: number) {
    record({ phase: 'start', key })
    await delay(ms)
    record({ phase: 'end', key })
  },
  { atMostOnce: true },
)

/** Fires children, and fails as often as asked before it succeeds. */
const parent = asyncTask(
  async function parent(key: string, children: number, failures: number) {
    record({ phase: 'start', key })
    for (let index = 0; index < children; index += 1) note.fire(`${key}/${index}`)
    record({ phase: 'end', key })
    if ((currentTask()?.attempt ?? 0) <= failures) throw new Error('As the test asked')
  },
  { retries: 5, backoff: '20ms' },
)

const returns = asyncTask(async function returns(key: string, value: unknown) {
  record({ phase: 'start', key })
  record({ phase: 'end', key })
  return value
})

export const tasks = { note, work, hold, block, poison, careless, fail, once, parent, returns }
