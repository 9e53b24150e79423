import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../src/core/context.ts'
import { MessageError } from '../../src/core/errors.ts'
import type { Failure } from '../../src/core/report-data.ts'
import { asyncTask } from '../../src/tasks/async-task.ts'
import type { TaskMessage } from '../../src/tasks/message.ts'
import { registry } from '../../src/tasks/registry.ts'
import { runAttempt } from '../../src/worker/attempt.ts'
import { testRuntime } from './fixtures/runtime.ts'
import { messageOf } from './messages.ts'

/** Which attempts a service's reporter is told of. */

asyncTask('reportedFailure', (text: string) => {
  throw new RangeError(text)
})
asyncTask('reportedSuccess', () => 1)

interface Told {
  readonly failure: Failure
  readonly context: Context | undefined
}

/** Runs one attempt and gives what was reported of it. */
async function reportsOf(message: TaskMessage, failures = 0, times = 1): Promise<readonly Told[]> {
  const told: Told[] = []
  const runtime = testRuntime()
  const reporter = {
    report: (failure: Failure, context: Context | undefined) => void told.push({ failure, context }),
  }
  const tools = { tasks: registry, runtime, reporter, toldOfKeys: new Set<string>() }
  for (let number = 1; number <= times; number += 1)
    await runAttempt({ number, message, attempt: failures + 1, failures }, tools)
  return told
}

test('tasks sealed with a key that is missing are reported once per key', async () => {
  const message = { ...messageOf('reportedFailure', ['no mail']), context: 'v2.other.a.b.c.d' }
  const told = await reportsOf(message, 0, 3)
  assert.deepEqual(
    told.map(({ failure }) => failure.error instanceof MessageError && failure.error.reason),
    ['unknown_key'],
  )
  const forged = { ...message, context: 'v1.other.a.b.c.d' }
  assert.equal((await reportsOf(forged, 0, 3)).length, 3)
})

test('of keys that are missing no more than some hundreds are remembered, whatever seals name', async () => {
  const toldOfKeys = new Set<string>()
  let told = 0
  const tools = {
    tasks: registry,
    runtime: testRuntime(),
    reporter: { report: () => void told++ },
    toldOfKeys,
  }
  for (let number = 1; number <= 1000; number += 1) {
    const message = { ...messageOf('reportedFailure', ['no mail']), context: `v2.key${number}.a.b.c.d` }
    await runAttempt({ number, message, attempt: 1, failures: 0 }, tools)
  }
  assert.equal(told, 1000)
  assert.ok(toldOfKeys.size <= 256, String(toldOfKeys.size))
})

test('a task that has failed for good is reported with its error, attempt and the context it was fired in', async () => {
  const message = messageOf('reportedFailure', ['no mail'], { user: { sub: 'ada' }, options: { retries: 1 } })
  assert.deepEqual(await reportsOf(message, 0), [], 'a run that will be repeated is not the end of it')
  const [told] = await reportsOf(message, 1)
  assert.ok(told)
  const { title, error, errorId, level, task } = told.failure
  assert.deepEqual([title, error.message, level], ['reportedFailure()', 'no mail', 'fatal'])
  assert.ok(error instanceof RangeError)
  assert.equal(errorId, message.id)
  assert.deepEqual(task, { id: message.id, name: 'reportedFailure', attempt: 2, outcome: 'failed' })
  assert.deepEqual([told.context?.user?.sub, told.context?.callId], ['ada', 'call-1'])
})

test('a forged message is reported with its id alone; success and a name of another version are not', async () => {
  const forged = { ...messageOf('reportedSuccess'), args: '[2]' }
  const [told] = await reportsOf(forged)
  assert.equal(told?.context, undefined, 'nothing of it can be trusted')
  assert.equal(told?.failure.task?.outcome, 'parked')
  assert.deepEqual(await reportsOf(messageOf('reportedSuccess')), [])
  assert.deepEqual(await reportsOf(messageOf('reportedNowhere')), [])
})
