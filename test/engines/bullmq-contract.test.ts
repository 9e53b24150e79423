import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openBullmq } from '../../src/engines/bullmq/engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { describeEngineContract, type OpenedEngine } from '../../src/testing/engine-suite.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'

/** A service of its own on the one Redis at `url`. */
async function openAt(url: string): Promise<OpenedEngine> {
  const service = `contract ${randomUUID()}`
  const folder = mkdtempSync(join(tmpdir(), 'macaron-test-'))
  const engines: Engine[] = []
  const open = async () => {
    const engine = await openBullmq({ url, service, folder })
    engines.push(engine)
    return engine
  }
  return {
    engine: await open(),
    second: open,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What `docs/redis.md` says is enough for a user of Redis. */
const enough = ['~{macaron:*', '&*', '+@all', '-@admin', '-@dangerous', '+info']

if (withoutRedis !== false) test('the engine contract on Redis', { skip: withoutRedis }, () => undefined)
else {
  describe('on one Redis', () => {
    let server: RedisServer
    before(async () => {
      server = await RedisServer.start('--appendonly', 'yes', '--user', 'shop', 'on', '>secret', ...enough)
    })
    after(() => server.end())
    const url = () => server.url.replace('//', '//shop:secret@')
    describeEngineContract({ name: 'bullmq, as a user who may do little', open: () => openAt(url()) })
  })

  describe('on a Redis Cluster', () => {
    let server: RedisServer
    before(async () => {
      server = await RedisServer.startCluster('--appendonly', 'yes')
    })
    after(() => server.end())
    const url = () => server.url.replace('redis:', 'redis+cluster:')
    describeEngineContract({ name: 'bullmq, in a cluster', open: () => openAt(url()) })
  })
}
