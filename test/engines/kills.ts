import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeMessages, store } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { assertSound, openEngine, randomFrom, rowsOf } from './store-file.ts'

/** Processes of the SQLite engine that are killed at random moments; the suite runs few of them, the soak many. */

const enqueuer = new URL('./fixtures/enqueue.ts', import.meta.url)
const consumer = new URL('./fixtures/consume.ts', import.meta.url)

/** What the consuming fixture tells. */
interface Report {
  readonly taken?: readonly string[]
  readonly settled?: readonly string[]
}

/** Starts a program that stores until it is killed; `answered` gets what it was told is stored. */
export function startEnqueuer(test: TestContext, args: string[], answered: Set<string>): ChildProcess {
  const child = startProgram(test, enqueuer, { args })
  // The fixture sends lists of ids.
  child.on('message', (ids) => (ids as string[]).map((id) => answered.add(id)))
  return child
}

/** Starts a program that takes and settles tasks until it is killed. */
export function startConsumer(
  test: TestContext,
  folder: string,
  take: (report: Report) => void,
): ChildProcess {
  const child = startProgram(test, consumer, { args: [folder] })
  // The fixture sends these.
  child.on('message', (message) => take(message as Report))
  return child
}

/** Kills a program as it sends its message number `count`; what it does next is cut short. */
export async function killAfter(child: ChildProcess, count: number): Promise<void> {
  let received = 0
  child.on('message', () => {
    if (++received === count) child.kill('SIGKILL')
  })
  await once(child, 'exit')
}

/** Four processes a round store and are killed; in the end, all that was answered as stored must be there. */
export async function killEnqueuers(test: TestContext, run: { rounds: number; seed: number }): Promise<void> {
  const folder = ownFolder(test)
  const random = randomFrom(run.seed)
  const answered = new Set<string>()
  const engine = await openEngine(test, { folder })
  for (let round = 0; round < run.rounds; round++) {
    const deaths = ['server', 'worker'].flatMap((role) =>
      ['full', 'normal'].map((sync) =>
        killAfter(startEnqueuer(test, [folder, sync, role], answered), 1 + Math.floor(random() * 12)),
      ),
    )
    await Promise.all(deaths)
  }
  const stored = new Set(rowsOf(folder, 'SELECT id FROM messages').map(({ id }) => id))
  const missing = [...answered].filter((id) => !stored.has(id))
  assert.deepEqual(missing, [])
  assert.ok(answered.size > run.rounds * 40, `only ${answered.size} tasks were stored in all`)
  assert.equal((await engine.counts()).queued, stored.size)
  assertSound(folder)
}

/** Workers are killed one after the other until all tasks are done; each must have run, and none again that was settled. */
export async function killConsumers(
  test: TestContext,
  run: { tasks: number; seed: number },
): Promise<number> {
  const folder = ownFolder(test)
  const random = randomFrom(run.seed)
  const engine = await openEngine(test, { folder })
  const messages = makeMessages(run.tasks)
  for (let at = 0; at < messages.length; at += 1000) await store(engine, ...messages.slice(at, at + 1000))
  const settled = new Set<string>()
  const takenAgain: string[] = []
  const isOver = async () => (await engine.counts()).done === messages.length
  let kills = 0
  while (!(await isOver())) {
    const child = startConsumer(test, folder, (report) => {
      takenAgain.push(...(report.taken ?? []).filter((id) => settled.has(id)))
      for (const id of report.settled ?? []) settled.add(id)
    })
    const death = killAfter(child, 2 + Math.floor(random() * 400))
    await Promise.race([death, until(isOver, { what: 'the last tasks', timeoutMs: 30_000 })])
    child.kill('SIGKILL')
    await death
    kills++
  }
  assert.deepEqual(takenAgain, [])
  const taken = new Set(readFileSync(join(folder, 'taken'), 'utf8').split('\n'))
  assert.ok(messages.every(({ id }) => taken.has(id)))
  assertSound(folder)
  return kills
}
