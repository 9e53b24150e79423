import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SetupError, StoreError } from '../../src/core/errors.ts'
import { on } from '../../src/core/events.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { openSqlite } from '../../src/engines/sqlite/engine.ts'
import { ChildError, setupExitCode, unavailableExitCode } from '../../src/supervisor/child-end.ts'
import { type PatientOptions, startWorkerPatiently } from '../../src/worker/patient.ts'
import type { Worker } from '../../src/worker/worker.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'

/** What a worker does with its store is tested elsewhere: here it only starts, or doesn't, and is stopped. */
function scene(t: TestContext, failures: readonly Error[]) {
  const folder = ownFolder(t)
  const left = [...failures]
  const told: string[] = []
  const done: string[] = []
  t.after(on('store.trouble', ({ code }) => told.push(code)))
  t.after(on('store.well', () => told.push('well')))
  const engines: Engine[] = []
  const options: PatientOptions = {
    async open() {
      const engine = await openSqlite({ folder, sync: 'normal', role: 'worker' })
      engines.push(engine)
      return engine
    },
    async start() {
      const failure = left.shift()
      if (failure !== undefined) throw failure
      done.push('started')
      const worker: Worker = {
        owner: 'test',
        names: () => [],
        executors: () => [],
        stop: async () => void done.push('stopped'),
        kill: async () => void done.push('killed'),
      }
      return worker
    },
  }
  return { options, told, done, engines }
}

/** Anew each time: one failure that several meet is told once. */
const full = () => new StoreError('STORE_FULL', 'No space')

test('while the store is at fault it is tried again, also where an executor has found that out', async (t) => {
  const executors = new ChildError('CHILD_FAILED', 'The executor ended', unavailableExitCode)
  const { options, told, done, engines } = scene(t, [full(), full(), executors])
  const worker = await startWorkerPatiently(options)
  assert.deepEqual(told, ['STORE_FULL'])
  await until(() => done.length > 0, { what: 'the worker to start' })
  await until(() => told.at(-1) === 'well', { what: 'the end of the trouble' })
  assert.deepEqual(told, ['STORE_FULL', 'CHILD_FAILED', 'well'])
  await worker.kill()
  await worker.stop()
  assert.deepEqual(done, ['started', 'killed', 'stopped'])
  for (const engine of engines) await assert.rejects(engine.counts(), { code: 'STORE_CLOSED' })
})

test('any other fault of the first try is thrown, and the store is closed', async (t) => {
  const faults = [
    new SetupError('TASK_MODULE_BROKEN', [{ message: 'broken' }]),
    new ChildError('CHILD_FAILED', 'The executor ended', setupExitCode),
    new ChildError('CHILD_FAILED', 'The executor ended', 1),
  ]
  for (const fault of faults) {
    const { options, told, engines } = scene(t, [fault])
    await assert.rejects(startWorkerPatiently(options), fault)
    assert.deepEqual(told, [])
    for (const engine of engines) await assert.rejects(engine.counts(), { code: 'STORE_CLOSED' })
  }
})

test('stopped while it waits, it never starts', async (t) => {
  const { options, done } = scene(t, [full()])
  const worker = await startWorkerPatiently(options)
  await worker.stop()
  // Longer than the first pause.
  const start = performance.now()
  await until(() => performance.now() - start > 150, { what: 'the pause to pass' })
  assert.deepEqual(done, [])
})
