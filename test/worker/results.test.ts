import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { logEvents } from '../../src/core/log-lines.ts'
import { asyncTask } from '../../src/tasks/async-task.ts'
import { registry } from '../../src/tasks/registry.ts'
import { runAttempt } from '../../src/worker/attempt.ts'
import { testRuntime } from './fixtures/runtime.ts'
import { messageOf } from './messages.ts'

asyncTask('returnsTooMuch', () => ({ secret: 'hunter2'.repeat(200_000) }))
asyncTask('returnsFunction', () => ({ secret: 'hunter2', close: () => undefined }))
asyncTask('returnsLittle', () => ['!', 1])

const tools = { tasks: registry, runtime: testRuntime(), toldOfKeys: new Set<string>() }

test('a result that can’t be kept leaves one line in the log, with its task and why, and nothing of the result', async (t) => {
  const lines: string[] = []
  t.after(logEvents(pino({ base: {} }, { write: (line: string) => lines.push(line) })))
  for (const [name, why] of [
    [
      'returnsTooMuch',
      /^What task returnsTooMuch returned is not kept: The result takes more than the 1048576 bytes/,
    ],
    [
      'returnsFunction',
      /^What task returnsFunction returned is not kept: The result can't travel .* a function at \.close\./,
    ],
  ] as const) {
    const message = messageOf(name, [], { user: { sub: 'ada' } })
    const outcome = await runAttempt({ number: 1, message, attempt: 1, failures: 0 }, tools)
    assert.equal(outcome.kind, 'done')
    const told = lines.splice(0).filter((line) => line.includes('is not kept'))
    assert.equal(told.length, 1)
    const { level, msg, taskId, callId, userId } = JSON.parse(told[0] ?? '')
    assert.deepEqual([level, taskId, callId, userId], [30, message.id, 'call-1', 'ada'])
    assert.match(msg, why)
    assert.doesNotMatch(told[0] ?? '', /hunter2/)
  }
})

test('one that is kept leaves none', async (t) => {
  const lines: string[] = []
  t.after(logEvents(pino({ base: {} }, { write: (line: string) => lines.push(line) })))
  const message = messageOf('returnsLittle')
  await runAttempt({ number: 1, message, attempt: 1, failures: 0 }, tools)
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg.replace(/[\d.]+ ms/, 'a while')),
    ['Task returnsLittle starts', 'Task returnsLittle done after a while'],
  )
})
