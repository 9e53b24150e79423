import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../support/until.ts'
import { cleanEnvironment } from './support/cli.ts'
import { startService } from './support/service.ts'

test('a script fires, waits for results, and acts for whom it says; what it fires before it throws is dropped', async (t) => {
  const service = await startService(t, { command: 'work' })
  const script = join(service.folder, 'scripts', 'nightly.ts')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=macaron-source', script, service.folder],
    {
      env: cleanEnvironment(),
      timeout: 20_000,
    },
  )
  const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
  assert.equal(said.failed, 'as the test asked')
  assert.deepEqual(said.waited, { result: '42', state: 'done' })
  assert.equal(said.outside, 'NO_SCOPE')
  assert.equal(said.here, 'just the function')
  const run = await until(() => service.runs().find((each) => each.id === said.id), {
    what: 'the task of the script',
  })
  assert.equal(run.user, 'nightly')
  const tasks = await service.tasks()
  assert.deepEqual(tasks.map((task) => task.name).toSorted(), ['note', 'returns'])
})
