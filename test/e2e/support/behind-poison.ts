import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import type { RunningService } from './service.ts'

/** Fires sixty tasks that kill their executor, then sixty good ones, and sees that the good ones run while the others are about. */
export async function behindPoison(test: TestContext, service: RunningService): Promise<void> {
  for (let n = 0; n < 60; n++) await service.fire('poison', [`bad${n}`, 0])
  for (let n = 0; n < 60; n++) await service.fire('note', [`good${n}`])
  const good = () => service.runs().filter(({ key, ended }) => key.startsWith('good') && ended)
  await until(() => good().length === 60, { what: 'the good ones to end', timeoutMs: 30_000 })
  const bad = service.runs().filter(({ key }) => key.startsWith('bad'))
  test.diagnostic(`by then ${bad.length} executors had died`)
  assert.ok(bad.length < 60, 'not each of them has to be tried first')
}
