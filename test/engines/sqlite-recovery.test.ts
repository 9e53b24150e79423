import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { on } from '../../src/core/events.ts'
import type { Consumer, Engine } from '../../src/engines/engine.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { assertSound, openEngine, tamper } from './store-file.ts'

const consumer = new URL('./fixtures/consume.ts', import.meta.url)

/** A worker process that holds `messages`. */
async function startHolder(
  test: TestContext,
  at: { folder: string; engine: Engine },
  messages: readonly TaskMessage[],
  mode: 'hold' | 'forward' = 'hold',
): Promise<ChildProcess> {
  await store(at.engine, ...messages)
  const before = (await at.engine.counts()).running
  const child = await startedProgram(test, consumer, { args: [at.folder, mode] })
  await until(async () => (await at.engine.counts()).running === before + messages.length, {
    what: 'the tasks held',
  })
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** A consumer without room, so that nothing is taken from under the test's eyes. */
function onlooker(sweep: Consumer['sweep']): Consumer {
  return {
    names: () => [],
    keys: () => [],
    slots: () => ({ ordinary: 0, alone: 0 }),
    sweep,
    run: () => undefined,
  }
}

test('a killed worker’s tasks run soon after the start of another', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  const messages = makeMessages(20)
  await kill(await startHolder(test, { folder, engine }, messages))
  const recovered: { owner: string; tasks: number }[] = []
  test.after(on('owner.recovered', (event) => recovered.push(event)))
  const started = performance.now()
  const worker = await TestWorker.start(engine)
  await worker.lease(19)
  assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`)
  assert.deepEqual(
    new Set(worker.leases.map(({ message }) => message.id)),
    new Set(messages.map(({ id }) => id)),
  )
  assert.deepEqual(
    recovered.map(({ tasks }) => tasks),
    [20],
  )
  assert.ok(
    worker.leases.every(({ attempt, failures, suspect }) => attempt === 1 && failures === 0 && !suspect),
  )
  assert.equal(readdirSync(join(folder, 'alive')).length, 2, 'the traces of the dead one are still there')
})

test('a worker that lives beside notices the death by itself', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  const worker = await TestWorker.start(await openEngine(test, { folder }), { room: { ordinary: 0 } })
  const child = await startHolder(test, { folder, engine }, makeMessages(5))
  assert.equal((await engine.workers()).length, 2)
  await kill(child)
  const killed = performance.now()
  await until(async () => (await engine.counts()).queued === 5, { what: 'the tasks in the queue' })
  assert.ok(performance.now() - killed < 2_500)
  assert.deepEqual(
    (await engine.workers()).map(({ owner }) => owner),
    [worker.consumption.owner],
  )
})

test('a task is not blamed for the deaths of those who only take it elsewhere', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await kill(await startHolder(test, { folder, engine }, [makeMessage()], 'forward'))
  for (let deaths = 1; deaths < 11; deaths++) {
    const child = await startedProgram(test, consumer, { args: [folder, 'forward'] })
    await until(
      async () => (await engine.workers()).some(({ pid, running }) => pid === child.pid && running === 1),
      {
        what: 'the task to be held again',
      },
    )
    await kill(child)
  }
  const worker = await TestWorker.start(engine)
  const { suspect, attempt } = await worker.lease()
  assert.deepEqual([suspect, attempt], [false, 1])
})

test('a task that must not start twice is parked when its worker was killed', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  const [once, other] = [makeMessage({ atMostOnce: true }), makeMessage()]
  await kill(await startHolder(test, { folder, engine }, [once, other]))
  const parked: { taskId: string; reason: string }[] = []
  test.after(on('task.parked', (event) => parked.push(event)))
  const worker = await TestWorker.start(engine)
  assert.equal((await worker.lease()).message.id, other.id)
  const found = await engine.find(once.id)
  assert.deepEqual([found?.state, found?.reason, found?.attempts], ['parked', 'lost', 1])
  assert.match(found?.error?.message ?? '', /must not start twice/)
  assert.deepEqual(
    parked.map(({ taskId, reason }) => [taskId, reason]),
    [[once.id, 'lost']],
  )
})

test('while something a dead worker left can’t be ended, its tasks stay, and health says so', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await kill(await startHolder(test, { folder, engine }, makeMessages(3)))
  let isSwept = false
  const asked: string[] = []
  const sweep = async (owner: string) => {
    asked.push(owner)
    return isSwept
  }
  await engine.consume(onlooker(sweep))
  assert.equal((await engine.counts()).running, 3)
  assert.match((await engine.health()).reasons.join(), /an executor it has left running can't be killed/)
  await until(() => asked.length >= 2, { what: 'another look' })
  isSwept = true
  await until(async () => (await engine.counts()).queued === 3, { what: 'the tasks in the queue' })
  assert.equal(new Set(asked).size, 1)
  assert.doesNotMatch((await engine.health()).reasons.join(), /can't be killed/)
})

test('a sweep that throws is one that did not succeed', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await kill(await startHolder(test, { folder, engine }, makeMessages(1)))
  await engine.consume(onlooker(() => Promise.reject(new Error('no rights'))))
  assert.equal((await engine.counts()).running, 1)
})

test('a task under which workers die again and again runs alone, then is parked as poison', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  const message = makeMessage()
  await store(engine, message)
  const suspects: boolean[] = []
  for (let death = 1; death <= 10; death++) {
    const child = await startedProgram(test, consumer, { args: [folder, 'hold'] })
    await until(async () => (await engine.counts()).running === 1, { what: 'the task held' })
    await kill(child)
    const worker = await TestWorker.start(engine)
    if (death < 10) suspects.push((await worker.lease()).suspect)
    await worker.consumption.stop()
  }
  assert.deepEqual(suspects, [false, false, true, true, true, true, true, true, true])
  const found = await engine.find(message.id)
  assert.deepEqual([found?.state, found?.reason], ['parked', 'poison'])
  await engine.retry(message.id)
  const worker = await TestWorker.start(engine)
  assert.equal((await worker.lease()).suspect, false)
  assertSound(folder)
})

test('a run that ends by itself forgets the workers that died under the task before', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  tamper(folder, 'UPDATE tasks SET losses = 9, suspect = 1')
  const worker = await TestWorker.start(engine)
  const lease = await worker.lease()
  await worker.settle(lease, { kind: 'retry', runAt: Date.now(), error: { message: 'busy' } })
  assert.equal((await worker.lease(1)).suspect, false)
})

test('a worker that was given up by mistake loses its leases, and goes on with new ones', async (test) => {
  const folder = ownFolder(test)
  const engine = await openEngine(test, { folder })
  await store(engine, makeMessage())
  const worker = await TestWorker.start(engine)
  const lease = await worker.lease()
  tamper(
    folder,
    `DELETE FROM owners;
     UPDATE tasks SET state = 1, owner = NULL, lease = NULL; UPDATE totals SET queued = 1, running = 0`,
  )
  assert.equal(await worker.settle(lease, done()), 'lost')
  const again = await worker.lease(1)
  assert.equal((await engine.workers()).length, 1)
  assert.equal(await worker.settle(again, done()), 'settled')
})
