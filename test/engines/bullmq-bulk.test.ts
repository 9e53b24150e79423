import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type IQueueBackend, type JobJson, type MinimalJob, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { purgeTasks } from '../../src/engines/bullmq/actions.ts'
import { readAddress } from '../../src/engines/bullmq/address.ts'
import { addAll, type Completed, completeAll, deleteAll, takeAll } from '../../src/engines/bullmq/bulk.ts'
import { lockMs } from '../../src/engines/bullmq/held.ts'
import { dataOf } from '../../src/engines/bullmq/job.ts'
import { prefixOf, queueName } from '../../src/engines/bullmq/keys.ts'
import { Link } from '../../src/engines/bullmq/link.ts'
import { Store } from '../../src/engines/bullmq/store.ts'
import { takenAwayAt } from '../../src/engines/losses.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { makeMessage } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'

const owner = 'worker-1'
const done = { kind: 'done', result: '1', children: [], expiresAt: 5 } as const
const token = (index: number) => `${owner}/${index + 1}`

async function complete(store: Store, batch: readonly Completed[]): Promise<readonly boolean[]> {
  const answers = completeAll(store, batch).map((step) => step.answers)
  return (await Promise.all(answers)).flat()
}

/** One service's queue, moved by BullMQ's own scripts or by ours. */
interface Side {
  readonly service: string
  readonly store: Store
  readonly worker: IQueueBackend
}

async function openSide(t: TestContext, url: string): Promise<Side> {
  const service = randomUUID()
  const link = await Link.open(readAddress(url))
  const store = new Store(link, { service, now: Date.now, warnings: [] })
  const worker = new Worker(queueName, null, {
    connection: link.client,
    prefix: prefixOf(service),
    name: owner,
    autorun: false,
    lockDuration: lockMs,
  })
  await worker.waitUntilReady()
  t.after(async () => {
    await worker.close(true)
    await store.close()
  })
  return { service, store, worker: worker.getBackend() }
}

/** All that Redis holds of a service, but for the stream of events and what only names jobs without an id; times as `now`. */
async function contents(client: Redis, { service, store }: Side): Promise<ReadonlyMap<string, unknown>> {
  const prefix = `${prefixOf(service)}:`
  const found = new Map<string, unknown>()
  for (const key of (await client.keys('*')).sort()) {
    const name = key.slice(prefix.length)
    if (!key.startsWith(prefix) || key === store.keys.events || name === 'tasks:id') continue
    found.set(name, asText(await contentOf(client, key)))
  }
  return found
}

async function contentOf(client: Redis, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'hash': {
      const { 'opts.maxLenEvents': _, ...fields } = await client.hgetall(key)
      return Object.entries(fields).sort()
    }
    case 'list':
      return await client.lrange(key, 0, -1)
    case 'zset':
      return await scoresOf(client, key)
    case 'set':
      return (await client.smembers(key)).sort()
    default:
      return [await client.get(key), (await client.pttl(key)) > lockMs - 10_000]
  }
}

/** In their order, but where that is only whether two were ended in the same millisecond. */
async function scoresOf(client: Redis, key: string): Promise<readonly string[]> {
  const scores = await client.zrange(key, 0, '-1', 'WITHSCORES')
  if (!key.endsWith(':completed')) return scores
  return scores.flatMap((id, index) => (index % 2 === 0 ? [id] : [])).sort()
}

function asText(content: unknown): string {
  return JSON.stringify(content).replace(/"1[67]\d{11}"/g, '"now"')
}

/** What BullMQ is given for a task. */
function jobOf({ id, name, priority, ...message }: TaskMessage): JobJson {
  const data = dataOf({ id, name, priority, ...message })
  const opts = priority > 0 ? { priority } : {}
  const counts = { progress: 0, attemptsMade: 0, attemptsStarted: 0, stalledCounter: 0 }
  return { ...counts, id, name, data, opts, timestamp: Date.now(), failedReason: '', returnvalue: '' }
}

async function addEach({ store }: Side, batch: readonly TaskMessage[]): Promise<void> {
  for (const message of batch) {
    await store.queue.addJob(jobOf(message), message.id)
    await store.link.client.zadd(store.own.ids, 0, message.id)
  }
}

async function completeEach({ store, worker }: Side, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    await store.link.client.zadd(store.own.expires, 5, id)
    // All that is read of a job.
    const job = { id, opts: { attempts: 1 } } as MinimalJob
    await worker.moveToCompleted(job, `"${index}"`, false, token(index), false)
  }
}

if (withoutRedis !== false) test('many jobs in one step', { skip: withoutRedis }, () => undefined)
else
  describe('many jobs in one step', () => {
    let redis: RedisServer
    let client: Redis
    before(async () => {
      redis = await RedisServer.start()
      client = new Redis(redis.url)
    })
    after(async () => {
      client.disconnect()
      await redis.end()
    })

    test('leave in Redis what BullMQ leaves that adds, takes and completes them one by one', async (t) => {
      const [theirs, ours] = [await openSide(t, redis.url), await openSide(t, redis.url)]
      const batch = [0, 7, 0, 2_097_151, 7, 0, 1].map((priority) => makeMessage({ priority }))
      const compare = async (what: string) =>
        assert.deepEqual(await contents(client, ours), await contents(client, theirs), what)

      await addEach(theirs, batch)
      assert.deepEqual(
        await addAll(ours.store, batch),
        batch.map(() => undefined),
      )
      await compare('added')
      assert.equal(
        (await contents(client, ours)).size,
        batch.length + 6,
        'jobs, two lists, marker, counter, ids, meta',
      )

      await addEach(theirs, batch.slice(2, 4))
      await addAll(ours.store, [...batch.slice(2, 4), ...batch.slice(2, 4)])
      await compare('added again')

      const ids: string[] = []
      for (const index of batch.keys()) {
        const [, id] = await theirs.worker.moveToActive(token(index), owner)
        ids.push(String(id))
      }
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      await client.del(ours.store.keys.marker)
      const some = await takeAll(ours.store, claims.slice(0, 3), owner)
      assert.equal(await client.exists(ours.store.keys.marker), 1, 'told that more is left')
      await client.del(ours.store.keys.marker)
      const others = await takeAll(ours.store, claims.slice(3), owner)
      const taken = [...some.taken, ...others.taken]
      assert.deepEqual(
        taken.map(({ held }) => [held.message, held.token, held.starts, held.moves]),
        ids.map((id, index) => [batch.find((message) => message.id === id), token(index), 1, 0]),
      )
      // Theirs wakes another worker though nothing is left for it.
      await client.del(theirs.store.keys.marker)
      await compare('taken')

      await completeEach(theirs, ids)
      const completed = taken.map(({ held }, index) => ({
        held,
        outcome: { ...done, result: `"${index}"` },
      }))
      assert.deepEqual(
        await complete(ours.store, completed),
        batch.map(() => true),
      )
      await compare('completed')

      await client.zadd(ours.store.own.parked, 5, ids[0] ?? '')
      await client.rpush(`${ours.store.keys.job(ids[1] ?? '')}:logs`, 'a line')
      assert.equal((await deleteAll(ours.store, ids.slice(0, 6), 5)).filter(Boolean).length, 6)
      for (const id of ids.slice(0, 6)) {
        await theirs.store.queue.remove(id, false)
        for (const key of ['ids', 'expires'] as const) await client.zrem(theirs.store.own[key], id)
        await client.set(theirs.store.keys.gone(id), '', 'PX', 600_000)
      }
      await compare('deleted')
    })

    test('that are large are taken as far as one answer may hold; the others stay in line as they were', async (t) => {
      const { store } = await openSide(t, redis.url)
      const { keys } = store
      const batch = Array.from({ length: 8 }, (_, index) =>
        makeMessage({ args: JSON.stringify(['x'.repeat(400_000)]), priority: index < 4 ? 0 : index }),
      )
      const ids = batch.map(({ id }) => id)
      await addAll(store, batch)
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      const scores = await client.zrange(keys.prioritized, 0, '-1', 'WITHSCORES')

      const first = await takeAll(store, claims, owner)
      assert.deepEqual(
        first.taken.map(({ held }) => [held.message.id, held.token]),
        [
          [ids[0], token(0)],
          [ids[1], token(1)],
        ],
      )
      assert.equal(first.isMore, true)
      assert.deepEqual((await client.lrange(keys.wait, 0, -1)).reverse(), ids.slice(2, 4))
      assert.deepEqual(await client.zrange(keys.prioritized, 0, '-1', 'WITHSCORES'), scores)
      assert.deepEqual((await client.lrange(keys.active, 0, -1)).reverse(), ids.slice(0, 2))
      assert.equal(await client.exists(keys.lock(ids[2] ?? '')), 0)

      const others = [await takeAll(store, claims, owner), await takeAll(store, claims, owner)]
      const last = await takeAll(store, claims, owner)
      assert.deepEqual(
        [...others, last].map(({ taken, isMore }) => [taken.map(({ held }) => held.message.id), isMore]),
        [
          [ids.slice(2, 4), true],
          [ids.slice(4, 6), true],
          [ids.slice(6), false],
        ],
      )
    })

    test('of which one is larger than an answer may be are taken one by one', async (t) => {
      const { store } = await openSide(t, redis.url)
      const batch = Array.from({ length: 3 }, () =>
        makeMessage({ args: JSON.stringify(['x'.repeat(1_200_000)]) }),
      )
      await addAll(store, batch)
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      for (const { id } of batch) {
        const { taken } = await takeAll(store, claims, owner)
        assert.deepEqual(
          taken.map(({ held }) => held.message.id),
          [id],
        )
      }
    })

    test('that may not go, or are not done, are told apart from those that are deleted', async (t) => {
      const { store } = await openSide(t, redis.url)
      const { keys, own } = store
      const batch = Array.from({ length: 10 }, () => makeMessage())
      const ids = batch.map(({ id }) => id)
      const [
        plain = '',
        waits = '',
        runs = '',
        failed = '',
        later = '',
        child = '',
        wrong = '',
        absent = '',
        undated = '',
        moved = '',
      ] = ids
      await addAll(store, batch)
      await client.lrem(keys.wait, 1, waits)
      const claims = ids.slice(1).map((_, index) => ({ token: token(index), number: index + 1 }))
      const { taken } = await takeAll(store, claims, owner)
      const isDone = ({ held }: (typeof taken)[number]) => ![runs, failed].includes(held.message.id)
      await complete(
        store,
        taken.filter(isDone).map(({ held }) => ({ held, outcome: done })),
      )
      await client.lrem(keys.active, 1, failed)
      await client
        .multi()
        .zadd(keys.failed, 1, failed)
        .zadd(own.expires, 1, failed)
        .del(keys.lock(runs), keys.lock(failed))
        .exec()
      await client.multi().zadd(own.expires, 7, later).hset(keys.job(child), 'parentKey', 'x').exec()
      await client.multi().del(keys.job(wrong), keys.job(absent)).lpush(keys.job(wrong), 'no hash').exec()
      await client.multi().zrem(own.expires, undated).zadd(own.expires, takenAwayAt, moved).exec()
      const answers = await deleteAll(store, ids, 6)
      assert.deepEqual(
        ids.filter((_, index) => answers[index]),
        [plain, undated, moved],
      )
      assert.deepEqual(
        (await client.zrange(own.ids, 0, '-1')).sort(),
        [waits, runs, failed, later, child, wrong, absent].sort(),
      )
      assert.deepEqual(
        await Promise.all([plain, undated, moved, later].map((id) => client.exists(keys.gone(id)))),
        [1, 1, 0, 0],
      )
      await client.set(keys.lock(later), 'somebody')
      assert.deepEqual(await deleteAll(store, [later], 7), [false])
      await client.del(keys.lock(later))
      await client.config('SET', 'maxmemory', '1')
      t.after(() => client.config('SET', 'maxmemory', '0'))
      assert.deepEqual(await deleteAll(store, [later], 7), [true], 'a full Redis deletes too')
      assert.equal(await client.exists(keys.gone(later)), 1)
    })

    test('that can not be completed so are told apart, and nothing of them is changed', async (t) => {
      const { store, service } = await openSide(t, redis.url)
      const batch = Array.from({ length: 6 }, () => makeMessage())
      await addAll(store, batch)
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      const { taken } = await takeAll(store, claims, owner)
      const [taken0, other, free, gone, parent, waits] = batch.map(({ id }) => id)
      const { keys } = store
      await client.set(keys.lock(other ?? ''), 'another')
      await client.del(keys.lock(free ?? ''), keys.job(gone ?? ''))
      await client.hset(keys.job(parent ?? ''), 'parentKey', 'x')
      await client.lrem(keys.active, 1, waits ?? '')
      const completed = taken.map(({ held }) => ({ held, outcome: done }))
      const before = await client.lrange(keys.active, 0, -1)
      const answers = await complete(store, completed)
      assert.deepEqual(answers, [true, false, false, false, false, false])
      assert.deepEqual(await client.zrange(keys.completed, 0, '-1'), [taken0])
      assert.deepEqual(
        await client.lrange(keys.active, 0, -1),
        before.filter((id) => id !== taken0),
      )
      assert.equal(await client.exists(`${prefixOf(service)}:expires`), 1)
    })

    test('that can not be added are not half there', async (t) => {
      const { store } = await openSide(t, redis.url)
      const batch = [makeMessage(), makeMessage()]
      await client.set(store.keys.wait, 'no list')
      const faults = await addAll(store, batch)
      assert.deepEqual(
        faults.map((fault) => fault instanceof Error),
        [true, true],
      )
      assert.equal(await client.exists(batch.map(({ id }) => store.keys.job(id))), 0)
      await client.del(store.keys.wait)
      await addAll(store, batch)
      assert.equal(await client.llen(store.keys.wait), 2)
    })

    test('that are no jobs any more leave the line, and the others are taken in its order', async (t) => {
      const { store } = await openSide(t, redis.url)
      const batch = Array.from({ length: 4 }, () => makeMessage())
      await addAll(store, batch)
      const [first, gone, ...others] = batch.map(({ id }) => id)
      await client.del(store.keys.job(gone ?? ''))
      await client.lpush(store.keys.job(gone ?? ''), 'no hash')
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      const { taken } = await takeAll(store, claims, owner)
      assert.deepEqual(
        taken.map(({ held }) => [held.message.id, held.token]),
        [first, ...others].map((id, index) => [id, token(index)]),
      )
      for (const { held } of taken)
        assert.equal(await client.get(store.keys.lock(held.message.id)), held.token)
      assert.deepEqual(
        (await client.lrange(store.keys.active, 0, -1)).toReversed(),
        taken.map(({ held }) => held.message.id),
      )
      assert.equal(await client.exists(store.keys.lock(gone ?? '')), 0)
    })

    test('stay in line where what they are moved to is no list', async (t) => {
      const { store } = await openSide(t, redis.url)
      await addAll(store, [makeMessage()])
      for (const key of [store.keys.active, store.keys.prioritized]) {
        await client.set(key, 'something else')
        await assert.rejects(takeAll(store, [{ token: token(0), number: 1 }], owner))
        assert.equal(await client.llen(store.keys.wait), 1)
        await client.del(key)
      }
      await client.set(store.keys.prioritized, 'something else')
      const faults = await addAll(store, [makeMessage(), makeMessage({ priority: 1 })])
      assert.ok(faults.every((fault) => fault instanceof Error))
      assert.equal(await client.llen(store.keys.wait), 1)
    })

    test('that have run and were deleted just now are not added again', async (t) => {
      const { store, service } = await openSide(t, redis.url)
      const [message, other] = [makeMessage(), makeMessage()]
      await addAll(store, [message, other])
      const claims = [0, 1].map((index) => ({ token: token(index), number: index + 1 }))
      const { taken } = await takeAll(store, claims, owner)
      await complete(
        store,
        taken.map(({ held }) => ({ held, outcome: done })),
      )
      assert.equal(await purgeTasks(store, undefined), 2)
      const leftMs = await client.pttl(store.keys.gone(message.id))
      assert.ok(leftMs > 500_000 && leftMs <= 600_000, `${leftMs} ms`)
      await client.del(store.keys.gone(other.id))
      await addAll(store, [message, other])
      assert.deepEqual(await client.lrange(store.keys.wait, 0, -1), [other.id])
      assert.deepEqual(await client.zrange(`${prefixOf(service)}:ids`, 0, '-1'), [other.id])
    })

    test('are left to BullMQ where the queue is paused or limited, or something is due', async (t) => {
      const { store } = await openSide(t, redis.url)
      const claim = { token: token(0), number: 1 }
      await addAll(store, [makeMessage(), makeMessage({ priority: 1 })])
      for (const field of ['paused', 'concurrency', 'max']) {
        await client.hset(store.keys.meta, field, '1')
        const { taken, nextDue } = await takeAll(store, [claim], owner)
        assert.deepEqual([taken, nextDue], [[], undefined])
        await client.hdel(store.keys.meta, field)
      }
      const now = Date.now()
      for (const [dueAt, taken] of [
        [now - 5, 0],
        [now + 60_000, 1],
      ] as const) {
        await client.zadd(store.keys.delayed, dueAt * 4096 + 17, 'later')
        const answer = await takeAll(store, [claim], owner)
        assert.deepEqual([answer.taken.length, answer.nextDue], [taken, taken === 0 ? undefined : dueAt])
      }
    })

    test('are added and completed in as many steps as their number and size ask for', async (t) => {
      const { store } = await openSide(t, redis.url)
      const batch = Array.from({ length: 250 }, (_, index) =>
        makeMessage({ args: JSON.stringify(['x'.repeat(index % 100 === 0 ? 200_000 : 10)]) }),
      )
      await addAll(store, batch)
      assert.deepEqual(
        (await client.lrange(store.keys.wait, 0, -1)).toReversed(),
        batch.map(({ id }) => id),
      )
      const claims = batch.map((_, index) => ({ token: token(index), number: index + 1 }))
      const { taken } = await takeAll(store, claims, owner)
      const answers = await complete(
        store,
        taken.map(({ held }) => ({ held, outcome: done })),
      )
      assert.deepEqual(new Set(answers), new Set([true]))
      assert.equal(await client.zcard(store.keys.completed), 250)
    })
  })
