import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Engine } from '../../src/engines/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
import { holders } from '../../src/supervisor/alive.ts'
import { ownFolder } from '../support/folder.ts'
import { runs, startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { messageOf } from './messages.ts'
import type { Note } from './setup.ts'

/** The worker's part on the embedded store, in processes of its own. */
async function openStore(t: TestContext) {
  const workers: ChildProcess[] = []
  let folder = ''
  // First of all hooks, since they run in this order: who is left running is named in the folder.
  t.after(() => endAll(workers, folder))
  folder = ownFolder(t)
  const engine = await openEngine('sqlite:', { folder, sync: 'normal', role: 'server', service: 'shop' })
  t.after(() => engine.close())
  const file = join(folder, 'notes')
  const startWorker = async () => {
    const program = new URL('./fixtures/sqlite-worker.ts', import.meta.url)
    const worker = await startedProgram(t, program, { args: [folder, '2'] })
    workers.push(worker)
    return worker
  }
  return { folder, engine, file, startWorker, notes: () => read(file) }
}

/** Executors in a busy loop outlive their worker, which is what some of these tests are about. */
async function endAll(workers: readonly ChildProcess[], folder: string): Promise<void> {
  const alive = workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  for (const worker of alive) worker.kill('SIGKILL')
  await Promise.all(alive.map((worker) => once(worker, 'exit')))
  for (const { pid } of holders(join(folder, 'alive'))) if (runs(pid)) process.kill(pid, 'SIGKILL')
}

function read(file: string): Note[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

async function allDone(engine: Engine, count: number): Promise<void> {
  await until(async () => (await engine.counts()).done === count, {
    what: `${count} done tasks`,
    timeoutMs: 30_000,
  })
}

test('two thousand tasks run once each on the embedded store', async (t) => {
  const { startWorker, engine, file, notes } = await openStore(t)
  await startWorker()
  const messages = Array.from({ length: 2000 }, () => messageOf('noted', [file]))
  for (let start = 0; start < 2000; start += 200) await engine.enqueue(messages.slice(start, start + 200))
  await allDone(engine, 2000)
  const ids = notes().map(({ id }) => id)
  assert.equal(ids.length, 2000)
  assert.equal(new Set(ids).size, 2000)
})

test('executors killed again and again lose nothing, and only suspects run more than once', async (t) => {
  const { folder, startWorker, engine, file, notes } = await openStore(t)
  await startWorker()
  const messages = Array.from({ length: 600 }, () => messageOf('wait', [file, 5]))
  await engine.enqueue(messages)
  const alive = join(folder, 'alive')
  for (let kill = 1; kill <= 5; kill++) {
    await until(async () => (await engine.counts()).done >= kill * 80, {
      what: 'progress',
      timeoutMs: 30_000,
    })
    const victim = await until(
      () => holders(alive).find(({ parent, pid }) => parent !== undefined && runs(pid)),
      {
        what: 'an executor',
      },
    )
    process.kill(victim.pid, 'SIGKILL')
  }
  await allDone(engine, 600)
  assert.equal(new Set(notes().map(({ id }) => id)).size, 600)
  const twice = notes().filter(({ what }) => what === 'wait').length - 600
  t.diagnostic(`${twice} of 600 ran again after 5 kills`)
  assert.ok(twice <= 5 * 160)
})

test('a killed worker: the next one runs what it held, within a second of its start, and an orphan runs nothing twice', async (t) => {
  const { startWorker, engine, file, notes } = await openStore(t)
  const first = await startWorker()
  const block = messageOf('block', [file, 60_000])
  const held = Array.from({ length: 8 }, () => messageOf('longAtFirst', [file, 10]))
  await engine.enqueue([block, ...held])
  await until(() => notes().length >= 9, { what: 'all to run' })
  const orphan = notes().find(({ what }) => what === 'block')?.pid ?? 0
  first.kill('SIGKILL')
  await once(first, 'exit')
  assert.equal(runs(orphan), true)

  const startedAt = Date.now()
  await startWorker()
  assert.equal(runs(orphan), false)
  await allDone(engine, 8)
  const again = notes().filter(({ pid, what, at }) => pid !== orphan && what === 'begin' && at > startedAt)
  t.diagnostic(
    `first rerun ${Math.min(...again.map(({ at }) => at)) - startedAt} ms after the start of the next worker`,
  )
  await until(() => notes().filter(({ what }) => what === 'block').length === 2, {
    what: 'the blocking one to run again',
  })
})

test('a stop gives back what runs, and the next worker goes on with it at no cost', async (t) => {
  const { startWorker, engine, file, notes } = await openStore(t)
  const first = await startWorker()
  const held = Array.from({ length: 5 }, () => messageOf('longAtFirst', [file, 10]))
  await engine.enqueue(held)
  await until(() => notes().length === 5, { what: 'all to run' })
  first.send({ type: 'stop' })
  await once(first, 'exit')
  const counts = await engine.counts()
  assert.deepEqual([counts.queued, counts.running], [5, 0])
  await startWorker()
  await allDone(engine, 5)
  for (const { id } of held) assert.equal((await engine.find(id))?.attempts, 1)
})

test('a poisonous task is parked in the store, named, and its neighbours are done', async (t) => {
  const { startWorker, engine, file } = await openStore(t)
  await startWorker()
  const poison = messageOf('die', [file, 'exit'])
  await engine.enqueue([poison, ...Array.from({ length: 9 }, () => messageOf('wait', [file, 100]))])
  await allDone(engine, 9)
  const record = await until(
    async () => {
      const found = await engine.find(poison.id)
      return found?.state === 'parked' ? found : undefined
    },
    { what: 'the poisonous one to be parked' },
  )
  assert.equal(record.reason, 'poison')
  assert.match(record.error?.message ?? '', /exit code 3/)
})
