import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cutReplicaOf, RedisGroup, roleOf } from '../support/redis-group.ts'
import { type RedisServer, withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import {
  type Account,
  accountOf,
  describeAccount,
  lackedBy,
  tasksOfDead,
  tasksOn,
} from './support/accounting.ts'
import { load } from './support/load.ts'
import { type RunningService, startService } from './support/service.ts'
import { end } from './support/storm.ts'

const behindBy = 5

/** Answered by this service, one after the other; each runs some time later only. */
async function fireLater(service: RunningService, count: number): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const { status, body } = await service.fire('note', [`later${index}`], { options: { delay: '2s' } })
    assert.equal(status, 200)
    ids.set(`later${index}`, body.ids?.[0] ?? '')
  }
  return ids
}

/** Until this many more tasks than before have run. */
async function moreRun(service: RunningService, count: number): Promise<void> {
  const before = service.runs().length
  await until(() => service.runs().length >= before + count, {
    what: `${count} more tasks to run; it said:\n${service.output}`,
  })
}

/** Until what it answers is stored on this one. */
async function arrives(service: RunningService, redis: RedisServer): Promise<void> {
  await until(
    async () => {
      const answer = await service.fire('note', ['again']).catch(() => undefined)
      return answer?.status === 200 && (await tasksOn(redis, 'bench')).has(answer.body.ids?.[0] ?? '')
    },
    { what: `tasks to be stored on the new master; it said:\n${service.output}`, everyMs: 50 },
  )
}

/** Until every task that was answered has run, but for those on a dead master alone. What was running at a failover may take half a minute. */
async function accounted(
  service: RunningService,
  ids: ReadonlyMap<string, string>,
  lacking: readonly string[],
): Promise<Account> {
  return await until(
    () => {
      const account = accountOf(service, ids, new Set(lacking))
      return account.lost.length === 0 ? account : undefined
    },
    { what: 'every task to be accounted for', timeoutMs: 60_000, everyMs: 100 },
  )
}

describe('a service whose Redis fails over', { skip: withoutRedis }, () => {
  test('goes on by itself; what was answered is run, but for what the replica lacked when its master died', async (t) => {
    const group = await RedisGroup.start()
    t.after(() => group[Symbol.asyncDispose]())
    const yaml = `name: bench\nwith_async: true\nlog_format: json\nspool: off\nbroker_url: ${group.url}\n`
    const service = await startService(t, { files: { 'macaron.yaml': yaml } })
    const requesting = load(t, service, { clients: 4, requests: 1_000_000 })
    await moreRun(service, 50)
    const first = await until(() => group.master(), { what: 'a master' })
    assert.match((await group.sentinels[0]?.command('SENTINEL', 'FAILOVER', 'main')) ?? '', /OK/)
    const second = await group.promotedAfter(first)
    await arrives(service, second)
    assert.equal(await roleOf(first), 'master', 'it went on only when the old master was told')
    const early = lackedBy(await tasksOn(second, 'bench'), await tasksOn(first, 'bench'))
    // The sentinels do this within ten seconds.
    await first.command('REPLICAOF', '127.0.0.1', String(second.port))
    await group.whole()
    requesting.stop()
    const { ids, refused } = await requesting.ended
    await accounted(service, ids, early)
    await cutReplicaOf(second)
    const late = await fireLater(service, behindBy)
    await second.kill()
    assert.equal(await group.promotedAfter(second), first)
    const behind = lackedBy(await tasksOn(first, 'bench'), await tasksOfDead(second, 'bench'))
    await arrives(service, first)
    const account = await accounted(service, new Map([...ids, ...late]), [...early, ...behind])
    t.diagnostic(`${describeAccount(account)}; refused ${JSON.stringify(Object.fromEntries(refused))}`)
    assert.deepEqual(
      account.lacked.filter((key) => key.startsWith('later')),
      [...late.keys()],
    )
    await end(service)
  })
})
