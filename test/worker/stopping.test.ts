import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { emit, on } from '../../src/core/events.ts'
import { holders } from '../../src/supervisor/alive.ts'
import { setupExitCode } from '../../src/supervisor/child-end.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { ownFolder } from '../support/folder.ts'
import { MemoryEngine } from '../support/memory-engine.ts'
import { runs, startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import { allReady, asEngine, heard, setUp, workerOptions } from './setup.ts'

test('a stop waits for attempts that end in time, records them, and leaves nothing behind', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, notes, file, folder } = setup
  const pids = worker.executors().map(({ pid }) => pid)
  await engine.enqueue(Array.from({ length: 8 }, () => messageOf('wait', [file, 300])))
  await until(() => notes('wait').length === 8, { what: 'all to run' })
  await Promise.all([worker.stop(), worker.stop()])
  assert.equal(engine.count('done'), 8)
  assert.equal(pids.filter(runs).length, 0)
  assert.deepEqual(readdirSync(join(folder, 'alive')), [])
})

test('a stop gives back what does not end in time, at no cost, and only after its executor is gone', async (t) => {
  const setup = await setUp(t, { stopTimeoutMs: 300 })
  const { engine, worker, notes, file } = setup
  const long = Array.from({ length: 6 }, () => messageOf('wait', [file, 60_000]))
  const once = messageOf('wait', [file, 60_000], { options: { atMostOnce: true } })
  await engine.enqueue([...long, once])
  await until(() => notes('wait').length === 7, { what: 'all to run' })
  const died = heard(t, 'executor.exit')
  const pids = worker.executors().map(({ pid }) => pid)
  const began = performance.now()
  await worker.stop()
  assert.ok(performance.now() - began < 2000)

  assert.equal(pids.filter(runs).length, 0)
  for (const { id } of long) {
    const row = engine.rows.get(id)
    assert.deepEqual([row?.state, row?.failures, row?.crashes, row?.suspect], ['queued', 0, 0, false])
  }
  const lost = engine.rows.get(once.id)?.outcome
  assert.ok(lost?.kind === 'parked' && lost.reason === 'lost')
  assert.deepEqual(died, [])
})

test('what an executor has not begun when a stop comes goes back at once, and is not run', async (t) => {
  const setup = await setUp(t, { executors: 1, concurrency: 1, stopTimeoutMs: 5000 })
  const { engine, worker, notes, file } = setup
  await engine.enqueue(Array.from({ length: 20 }, () => messageOf('noted', [file])))
  await until(() => engine.count('done') === 20, { what: 'the pace to be known' })
  const block = messageOf('block', [file, 600])
  await engine.enqueue([block, ...Array.from({ length: 10 }, () => messageOf('noted', [file]))])
  await until(() => notes('block').length === 1, { what: 'the loop to be blocked' })
  await worker.stop()
  assert.equal(engine.rows.get(block.id)?.state, 'done')
  assert.equal(engine.count('queued'), 10)
  assert.equal(notes('noted').length, 20)
})

test('a task parked while executors live is reported by one of them; by none that is being stopped', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, notes, file, folder } = setup
  await allReady(setup, 2)
  const [before, during] = [messageOf('noted', [file]), messageOf('noted', [file])]
  await engine.enqueue([before, during])
  await until(() => engine.count('done') === 2, { what: 'both to be known to the store' })
  const park = ({ id }: { id: string }) => {
    const row = engine.rows.get(id) ?? assert.fail()
    row.state = 'parked'
    emit('task.parked', { taskId: id, name: 'noted', reason: 'poison', message: 'parked by this test' })
  }
  const reported = () => readFileSync(join(folder, 'reported'), { encoding: 'utf8', flag: 'a+' })
  park(before)
  await until(() => reported() === `${before.id}\n`, { what: 'the report' })
  await engine.enqueue([messageOf('wait', [file, 500])])
  await until(() => notes('wait').length === 1, { what: 'it to run' })
  t.after(on('worker.paused', () => park(during)))
  await worker.stop()
  assert.equal(notes('waited').length, 1)
  assert.equal(reported(), `${before.id}\n`)
})

test('a killed worker takes its idle and waiting executors with it', async (t) => {
  const folder = ownFolder(t)
  const entry = new URL('./fixtures/worker.ts', import.meta.url)
  const child = await startedProgram(t, entry, { args: [join(folder, 'alive'), '2'] })
  const file = join(folder, 'notes')
  child.send([messageOf('wait', [file, 60_000])])
  await until(() => executorPids(folder).length === 2, { what: 'two executors' })
  const pids = executorPids(folder)
  child.kill('SIGKILL')
  await until(() => !pids.some(runs), { what: 'the executors to be gone' })
})

test('an orphan in a busy loop is killed by the next worker before anything else happens', async (t) => {
  const folder = ownFolder(t)
  const entry = new URL('./fixtures/worker.ts', import.meta.url)
  const child = await startedProgram(t, entry, { args: [join(folder, 'alive'), '1'] })
  const file = join(folder, 'notes')
  child.send([messageOf('block', [file, 120_000])])
  const [orphan = 0] = executorPids(folder)
  await until(() => readdirSync(folder).includes('notes'), { what: 'its loop to be blocked' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(runs(orphan), true)

  const killed = heard(t, 'orphan.killed')
  const engine = new MemoryEngine()
  const consume = engine.consume.bind(engine)
  engine.consume = (consumer) => {
    assert.equal(runs(orphan), false)
    return consume(consumer)
  }
  const next = await startWorker({ ...workerOptions(folder), engine: asEngine(engine) })
  t.after(() => next.kill())
  assert.equal(killed[0]?.pid, orphan)
})

test('told to end at once, a worker ends its executors, in a busy loop too', async (t) => {
  const setup = await setUp(t)
  const { engine, worker, notes, file } = setup
  await engine.enqueue([messageOf('block', [file, 60_000]), messageOf('wait', [file, 60_000])])
  await until(() => notes().length === 2, { what: 'both to run' })
  const pids = worker.executors().map(({ pid }) => pid)
  await worker.kill()
  assert.equal(pids.some(runs), false)
})

test('a worker whose executors can not start says so, with the exit code for it', async (t) => {
  const folder = ownFolder(t)
  const entry = new URL('../supervisor/fixtures/child.ts', import.meta.url).pathname
  const engine = asEngine(new MemoryEngine())
  const options = { ...workerOptions(folder), engine, entry, args: ['misconfigured', join(folder, 'lives')] }
  await assert.rejects(startWorker(options), { code: 'CHILD_FAILED', exitCode: setupExitCode })
})

test('an executor that has grown too big is replaced without harm to its tasks', async (t) => {
  const recycled = heard(t, 'executor.recycled')
  const died = heard(t, 'executor.exit')
  const setup = await setUp(t, { executors: 1, maxMemoryMiB: 300 })
  const { engine, worker } = setup
  const [first] = worker.executors()
  await engine.enqueue([messageOf('grow', [350, 3000])])
  await until(() => recycled.length > 0, { what: 'the size to be noticed' })
  await engine.enqueue([messageOf('quick', [1])])
  await until(() => engine.count('done') === 2, { what: 'both to be done' })
  await until(() => !runs(first?.pid ?? 0), { what: 'the big one to be gone' })
  await allReady(setup, 1)
  assert.deepEqual(died, [])
  for (const row of engine.rows.values()) assert.equal(row.claims, 1)
})

test('executors that grow too big are not replaced faster than they end what they have', async (t) => {
  const recycled = heard(t, 'executor.recycled')
  const setup = await setUp(t, { executors: 1, concurrency: 2, maxMemoryMiB: 200 })
  const { engine, worker } = setup
  await engine.enqueue(Array.from({ length: 10 }, () => messageOf('grow', [150, 60_000])))
  await until(() => recycled.length === 1, { what: 'the first to be too big' })
  await until(() => engine.count('running') === 4, { what: 'the next to be at work', timeoutMs: 20_000 })
  const since = performance.now()
  // Old enough, and big enough, to be replaced too.
  await until(() => performance.now() - since > 3_500, { what: 'the next to be old enough' })
  assert.equal(recycled.length, 1)
  assert.equal(worker.executors().length, 2)
})

test('a suspect that a stop gives back stays one', async (t) => {
  const setup = await setUp(t, { stopTimeoutMs: 100 })
  const { engine, worker, notes, file } = setup
  const message = messageOf('wait', [file, 60_000])
  engine.enqueueSuspects([message])
  await until(() => notes('wait').length === 1, { what: 'its start' })
  await worker.stop()
  const row = engine.rows.get(message.id)
  assert.deepEqual([row?.state, row?.suspect, row?.crashes], ['queued', true, 0])
})

function executorPids(folder: string): number[] {
  return holders(join(folder, 'alive')).flatMap(({ parent, pid }) => (parent === undefined ? [] : [pid]))
}
