import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../test/support/until.ts'
import { Program } from '../harness/program.ts'

/** How long BullMQ takes, with its defaults, to run a job again whose worker was killed and started anew at once. */
export async function bullMqRerunMs(redisPort: string): Promise<number> {
  const entry = new URL('./host.ts', import.meta.url)
  {
    await using killed = await Program.start(entry, ['bullmq', redisPort])
    await killed.ask('add')
    await killed.ask('hang')
    await until(async () => (await killed.ask<number>('ran')) > 0, { what: "BullMQ's first run" })
  }
  const killedAt = performance.now()
  await using restarted = await Program.start(entry, ['bullmq', redisPort])
  await restarted.ask('work', 10)
  while ((await restarted.ask<number>('ran')) === 0) await delay(10)
  return performance.now() - killedAt
}
