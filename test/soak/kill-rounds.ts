import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { KillRule } from '../e2e/support/kill-plan.ts'
import { childrenOnce, neverTwice } from '../e2e/support/promises.ts'
import { type Random, seeded } from '../e2e/support/random.ts'
import { type RunningService, startService } from '../e2e/support/service.ts'
import { type StormOptions, type StormReport, storm } from '../e2e/support/storm.ts'
import { until } from '../support/until.ts'

export interface RoundsOptions {
  /** How many kills in all. */
  readonly wanted: number
  /** A round's service differs from the fixture in these. */
  readonly files?: () => NonNullable<StormOptions['files']>
  /** Done in each round, after the kills of single processes and under load; answers how many more kills that were. */
  readonly meddle?: (random: Random, service: RunningService) => Promise<number>
}

/** In rounds: each starts a service, kills its processes at named steps while requests come in, kills all of it at once, and starts it again. */
export async function killRounds(t: TestContext, { wanted, files, meddle }: RoundsOptions): Promise<void> {
  const random = seeded((line) => t.diagnostic(line))
  const sums = {
    rounds: 0,
    kills: 0,
    answered: 0,
    stored: 0,
    runs: 0,
    doubled: 0,
    parked: 0,
    lost: 0,
    overlaps: 0,
  }
  while (sums.kills < wanted) {
    const before = sums.kills
    await t.test(`after ${sums.kills} kills`, async (round) => {
      let more = 0
      const report: StormReport = await storm(round, {
        kill: rulesOf(random),
        seed: random.whole(0, 2 ** 30),
        clients: random.whole(1, 8),
        ...(files && { files: files() }),
        ...random.pick([{}, { task: 'work', args: [random.whole(1, 200)] }, neverTwice, childrenOnce]),
        andThen: async (service) => {
          more = (await meddle?.(random, service)) ?? 0
          return await killEverything(round, service)
        },
      })
      sums.rounds += 1
      sums.kills += report.kills + more + 1
      sums.lost += report.lost.length
      sums.parked += report.states.parked ?? 0
      for (const name of ['answered', 'stored', 'runs', 'doubled', 'overlaps'] as const)
        sums[name] += report[name]
    })
    t.diagnostic(JSON.stringify(sums))
    assert.ok(sums.kills > before, 'the round has failed')
  }
  assert.ok(sums.stored >= sums.answered)
  assert.equal(sums.lost, 0)
  assert.equal(sums.overlaps, 0)
}

/** At most four lives a supervised process: beyond that its restarts are put off on purpose. */
function rulesOf(random: Random): readonly KillRule[] {
  return [
    { role: 'server', event: 'task.stored', nth: [1, 60], times: 3 },
    { role: 'worker', event: 'task.claimed', nth: [1, 30], times: 1 },
    { role: 'worker', event: 'task.handed', nth: [1, 60], times: 1 },
    { role: 'worker', event: 'task.outcome', nth: [1, 60], times: 1 },
    { role: 'worker', event: 'task.settled', nth: [1, 30], times: 1 },
    { role: 'executor', event: random.pick(['attempt.start', 'attempt.end']), nth: [1, 60], times: 3 },
  ]
}

async function killEverything(test: TestContext, service: RunningService): Promise<RunningService> {
  service.killAll()
  await until(() => service.isGone(), { what: 'every process to be gone' })
  return await startService(test, { folder: service.folder, port: service.port })
}
