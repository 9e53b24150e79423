import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { monotonicMs } from './support/clock.ts'
import { twoExecutors } from './support/folders.ts'
import { signal } from './support/processes.ts'
import { childrenOnce, neverTwice } from './support/promises.ts'
import { seeded } from './support/random.ts'
import { startService } from './support/service.ts'
import { storm } from './support/storm.ts'

/** Whatever is killed, wherever it is: what was answered with a 2xx is stored and runs. test/soak does this a thousand times. */

test('a server killed between store and reply loses nothing that it has answered', async (t) => {
  const { seed } = seeded((line) => t.diagnostic(line))
  const kill = [{ role: 'server', event: 'task.stored', nth: [1, 30], times: 4 }] as const
  await storm(t, { kill, seed })
})

test('a worker killed at claim, hand-over, outcome and settlement loses nothing', async (t) => {
  const { seed } = seeded((line) => t.diagnostic(line))
  const events = ['task.claimed', 'task.handed', 'task.outcome', 'task.settled'] as const
  const kill = events.map((event) => ({ role: 'worker', event, nth: [1, 20], times: 1 }) as const)
  await storm(t, { kill, seed })
})

test('executors killed in mid-task lose nothing', async (t) => {
  const { seed } = seeded((line) => t.diagnostic(line))
  const kill = [{ role: 'executor', event: 'attempt.start', nth: [5, 30], times: 4 }] as const
  await storm(t, { kill, seed, task: 'work', args: [20] })
})

test('everything killed at once, supervisor included, loses nothing once it is started again', async (t) => {
  const { seed, whole } = seeded((line) => t.diagnostic(line))
  const enough = whole(20, 60)
  await storm(t, {
    kill: [],
    seed,
    task: 'work',
    args: [50],
    andThen: async (service) => {
      await until(() => service.runs().length >= enough, { what: 'tasks to run' })
      service.killAll()
      await until(() => service.isGone(), { what: 'every process to be gone' })
      return await startService(t, { folder: service.folder, port: service.port })
    },
  })
})

test('tasks that must not be repeated never start twice, whatever is killed; those that had begun are parked as lost', async (t) => {
  const { seed } = seeded((line) => t.diagnostic(line))
  const kill = [
    { role: 'worker', event: 'task.settled', nth: [5, 20], times: 1 },
    { role: 'worker', event: 'task.handed', nth: [5, 20], times: 1 },
    { role: 'executor', event: 'attempt.start', nth: [5, 20], times: 2 },
  ] as const
  await storm(t, { kill, seed, ...neverTwice })
})

test('the tasks that a task fires are stored once, however often it is run again', async (t) => {
  const { seed } = seeded((line) => t.diagnostic(line))
  const kill = [
    { role: 'worker', event: 'task.settled', nth: [5, 20], times: 1 },
    { role: 'worker', event: 'task.outcome', nth: [5, 20], times: 1 },
    { role: 'executor', event: 'attempt.end', nth: [5, 20], times: 2 },
  ] as const
  await storm(t, { kill, seed, ...childrenOnce })
})

test('the tasks of a killed executor run again at once, those of a killed worker within a second of its restart', async (t) => {
  const service = await startService(t, { files: twoExecutors })
  const executor = await rerunAfterKilling('executor')
  const worker = await rerunAfterKilling('worker')
  t.diagnostic(`executor killed: its task runs again ${executor.afterKill.toFixed(0)} ms later`)
  t.diagnostic(
    `worker killed: its task runs again ${worker.afterKill.toFixed(0)} ms later, ${worker.afterStart.toFixed(0)} ms after the next worker's start`,
  )
  // Bounds for a loaded machine; the bench measures.
  assert.ok(executor.afterKill < 2000)
  assert.ok(worker.afterStart < 5000)

  async function rerunAfterKilling(role: 'executor' | 'worker') {
    await service.fire('work', [role, 5000])
    const runs = () => service.runs().filter((run) => run.key === role)
    const first = await until(() => runs()[0], { what: 'the task to start' })
    const pid = role === 'executor' ? first.pid : await service.pidOf('worker')
    const killed = monotonicMs()
    signal(pid, 'SIGKILL')
    await until(() => service.pids('worker').some((other) => other !== pid), {
      what: 'the next worker',
      everyMs: 5,
    })
    const started = monotonicMs()
    const again = await until(() => runs()[1], { what: 'the task to run again' })
    return { afterKill: again.start - killed, afterStart: again.start - started }
  }
})
