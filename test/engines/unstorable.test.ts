import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Events, on } from '../../src/core/events.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { done, makeMessage, makeMessages, store, TestWorker } from '../../src/testing/engine-suite/setup.ts'
import { ownFolder } from '../support/folder.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { openAt, placeOf } from './bullmq-place.ts'

type Told = Events['outcome.unstorable']

/** What is told of an outcome that can't be stored, and of one beside it that can. */
async function toldOf(t: TestContext, engine: Engine): Promise<readonly Told[]> {
  const told: Told[] = []
  t.after(on('outcome.unstorable', (event) => told.push(event)))
  await store(engine, ...makeMessages(2))
  const worker = await TestWorker.start(engine)
  const [first, second] = [await worker.lease(0), await worker.lease(1)]
  const answers = await Promise.all([
    worker.settle(first, done('"what it returned"', [makeMessage({ priority: 1.5 })])),
    worker.settle(second, done()),
  ])
  assert.deepEqual(answers, ['settled', 'settled'])
  assert.equal((await engine.find(first.message.id))?.state, 'failed')
  assert.deepEqual(
    told.map(({ taskId }) => taskId),
    [first.message.id],
  )
  await worker.consumption.stop()
  return told
}

function assertTold([one]: readonly Told[]): void {
  assert.deepEqual([one?.name, one?.outcome], ['sendEmail', 'done'])
  assert.match(one?.message ?? '', /^The task sendEmail that it fired can't be stored: /)
  assert.doesNotMatch(JSON.stringify(one), /what it returned/)
}

test('a task that fails because its outcome can’t be stored is told of, once (sqlite)', async (t) => {
  const engine = await openSqlite({ folder: ownFolder(t), sync: 'normal', role: 'worker' })
  t.after(() => engine.close())
  assertTold(await toldOf(t, engine))
})

test('a task that fails because its outcome can’t be stored is told of, once (Redis)', {
  skip: withoutRedis,
}, async (t) => {
  const redis = await RedisServer.start()
  t.after(() => redis.end())
  assertTold(await toldOf(t, await openAt(t, redis.url, placeOf(t))))
})
