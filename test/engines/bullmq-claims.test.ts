import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Lease } from '../../src/engines/engine.ts'
import { makeMessage, store } from '../../src/testing/engine-suite/setup.ts'
import { RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { openAt, placeOf } from './bullmq-place.ts'

if (withoutRedis !== false) test('claims on Redis', { skip: withoutRedis }, () => undefined)
else
  describe('on Redis', () => {
    let redis: RedisServer
    before(async () => {
      redis = await RedisServer.start()
    })
    after(() => redis.end())

    test('a worker without room sleeps on when something is due, and takes it once there is room', async (t) => {
      const engine = await openAt(t, redis.url, placeOf(t))
      const due = Date.now() + 500
      await store(engine, makeMessage(), makeMessage({ runAt: due }))
      const leases: Lease[] = []
      let room = 1
      let questions = 0
      const consumption = await engine.consume({
        names: () => [],
        keys: () => [],
        slots: () => {
          questions++
          return { ordinary: room, alone: 0 }
        },
        run: (more) => {
          leases.push(...more)
          room -= more.length
        },
        sweep: async () => true,
      })
      await until(() => leases.length === 1, { what: 'the first' })
      questions = 0
      await until(() => Date.now() > due + 300, { what: 'the second to be due' })
      assert.ok(questions < 20, `asked ${questions} times`)
      room = 1
      consumption.more()
      await until(() => leases.length === 2, { what: 'the second' })
    })
  })
