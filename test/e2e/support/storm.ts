import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../support/until.ts'
import { twoExecutors } from './folders.ts'
import type { KillRule } from './kill-plan.ts'
import { load } from './load.ts'
import { describeTally, type Run, type Tally, tally } from './runs.ts'
import { type Listed, type RunningService, type StartOptions, startService } from './service.ts'

/** Requests that fire tasks while processes are killed; then what was promised of what was answered must hold. */
export interface StormOptions extends Pick<StartOptions, 'files'> {
  readonly kill: readonly KillRule[]
  readonly seed: number
  readonly clients?: number
  readonly task?: string
  readonly args?: readonly unknown[]
  /** Done once every kill asked for has happened; the service it gives is the one that must end the work. */
  readonly andThen?: (service: RunningService) => Promise<RunningService>
  /** Asserts what must hold then. Default `assertPromises`. */
  readonly check?: (test: TestContext, aftermath: Aftermath) => void
}

/** What is there after a storm. */
export interface Aftermath {
  readonly report: StormReport
  /** Keys whose request got a 2xx. */
  readonly answered: readonly string[]
  readonly tasks: readonly Listed[]
  readonly runs: readonly Run[]
}

export interface StormReport extends Tally {
  readonly kills: number
  readonly states: Readonly<Record<string, number>>
}

/** Counts are said in the test's output. */
export async function storm(test: TestContext, options: StormOptions): Promise<StormReport> {
  const { kill, seed, clients = 4, task = 'note', args = [] } = options
  const expected = kill.reduce((sum, rule) => sum + rule.times, 0)
  const first = await startService(test, { kill, seed, files: options.files ?? twoExecutors })
  const requesting = load(test, first, { clients, requests: 1_000_000, task, args })
  await until(() => first.kills().length >= expected, {
    what: `${expected} kills`,
    timeoutMs: 100_000,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}; there were ${first.kills()}; ${await first.describe()}`)
  })
  const service = (await options.andThen?.(first)) ?? first
  requesting.stop()
  const { answered, refused } = await requesting.ended
  await service.settled()
  const tasks = await service.tasks()
  const report = count(service, { answered, tasks })
  test.diagnostic(
    `kills ${report.kills}; ${describeTally(report)}; refused ${JSON.stringify(Object.fromEntries(refused))}`,
  )
  await end(service)
  const check = options.check ?? assertPromises
  check(test, { report, answered, tasks, runs: service.runs() })
  return report
}

function count(
  service: RunningService,
  { answered, tasks }: Pick<Aftermath, 'answered' | 'tasks'>,
): StormReport {
  const states = Object.entries(Object.groupBy(tasks, (task) => task.state))
  const counted = tally(service.runs(), answered, tasks.length)
  // Kept aside with a reason is not lost; where that must not be, `states` tells.
  const kept = new Set(tasks.filter(({ state }) => state === 'parked').map(keyOf))
  return {
    ...counted,
    lost: counted.lost.filter((key) => !kept.has(key)),
    kills: service.kills().length,
    states: Object.fromEntries(states.map(([state, own]) => [state, own?.length ?? 0])),
  }
}

/** Under which key a request has fired this task. */
function keyOf({ args }: Listed): unknown {
  return Array.isArray(args) ? args[0] : undefined
}

/** What holds for every task that may run more than once. */
export function assertPromises(_test: TestContext, { report }: Pick<Aftermath, 'report'>): void {
  assert.deepEqual(report.lost, [], 'answered with a 2xx, but never run')
  assert.ok(report.stored >= report.answered, `stored ${report.stored} < answered ${report.answered}`)
  assert.equal(report.overlaps, 0, 'a task ran in two places at the same time')
  assert.deepEqual(report.states, { done: report.stored }, 'every stored task ends as done')
}

/** Ends the service gently and sees that nothing of it is left. */
export async function end(service: RunningService): Promise<void> {
  service.signalGroup('SIGINT')
  await until(() => service.isGone(), { what: 'the service to be gone after SIGINT', timeoutMs: 20_000 })
}
