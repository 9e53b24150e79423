import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { twoExecutors } from './folders.ts'
import { signal } from './processes.ts'
import { tally } from './runs.ts'
import { startService } from './service.ts'

/** A worker is killed while one of its executors is in a busy loop and can't notice; the supervisor starts the next one at once. */
export async function busyOrphan(test: TestContext): Promise<void> {
  const service = await startService(test, { files: twoExecutors })
  const keys = Array.from({ length: 20 }, (_, index) => `short${index}`)
  await service.fire('block', ['busy', 4000])
  for (const key of keys) await service.fire('work', [key, 400])
  const orphan = await until(() => service.runs().find((run) => run.key === 'busy'), {
    what: 'the busy loop',
  })
  signal(await service.pidOf('worker'), 'SIGKILL')
  const ended = (key: string) => service.runs().some((run) => run.key === key && run.ended)
  await until(() => [...keys, 'busy'].every(ended), {
    what: 'every task to have ended',
    timeoutMs: 25_000,
    everyMs: 100,
  })
  const counts = tally(service.runs(), [...keys, 'busy'], keys.length + 1)
  const busy = service.runs().filter((run) => run.key === 'busy')
  test.diagnostic(
    `runs ${counts.runs}, doubled ${counts.doubled}, in two places at a time ${counts.overlaps}`,
  )
  assert.equal(counts.overlaps, 0)
  assert.equal(busy.length, 2)
  assert.ok(!service.pids('executor').includes(orphan.pid), 'the orphan was killed')
  await service.says(/left behind by a worker that died/)
  service.killAll()
}
