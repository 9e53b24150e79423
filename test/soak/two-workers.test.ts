import { test } from 'node:test'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { neverTheSame } from '../../src/testing/engine-suite/consume.ts'
import { ownFolder } from '../support/folder.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'

test('of 20,000 tasks two workers on SQLite never get the same', async (t) => {
  const folder = ownFolder(t)
  const open = async () => {
    const engine = await openSqlite({ folder, sync: 'full', role: 'worker' })
    t.after(() => engine.close())
    return engine
  }
  await neverTheSame({ engine: await open(), second: open }, 20_000)
})

test('of 20,000 tasks two workers on Redis never get the same', { skip: withoutRedis }, async (t) => {
  const folder = ownFolder(t)
  const redis = await RedisServer.start('--appendonly', 'yes')
  t.after(() => redis.end())
  const open = async () => {
    const engine = await openBullmq({ url: redis.url, service: 'two workers', folder })
    t.after(() => engine.close())
    return engine
  }
  await neverTheSame({ engine: await open(), second: open }, 20_000)
})
