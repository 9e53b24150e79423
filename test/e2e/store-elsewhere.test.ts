import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { copyOf } from './support/folders.ts'
import { startService } from './support/service.ts'

test('a second worker leaves the executors of the first alone where the store lies elsewhere', async (t) => {
  const folder = copyOf(t, 'bench')
  const file = join(folder, 'macaron.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8')}broker_url: sqlite:store\n`)
  const service = await startService(t, { folder })
  await service.fire('work', ['long', 6000])
  const run = await until(() => service.runs()[0], { what: 'the task to start' })
  await startService(t, { folder, command: 'work' })
  await until(() => service.runs().some((each) => each.ended), { what: 'it to end', timeoutMs: 20_000 })
  assert.equal(service.runs().length, 1)
  assert.equal(service.runs()[0]?.pid, run.pid)
})
