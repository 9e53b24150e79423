import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { contextOf, withContext } from '../../src/core/context.ts'
import { type EventName, type Events, on } from '../../src/core/events.ts'
import { log } from '../../src/core/log.ts'
import type { ErrorReporter, ReportData } from '../../src/core/report.ts'
import { Reporter } from '../../src/core/reporter.ts'
import { installReporter, reportError, reportWarning } from '../../src/core/reporting.ts'

/** What a service says by itself: to the log, and to its reporter. */

const server = { fqdn: 'here', port: 1, api_name: 'shop', api_version: '1', env: 'test' }

function install(t: TestContext, tell: ErrorReporter): Reporter {
  const reporter = new Reporter(tell, server)
  installReporter(reporter)
  t.after(() => installReporter(undefined))
  return reporter
}

function heard<Name extends EventName>(t: TestContext, name: Name): Events[Name][] {
  const details: Events[Name][] = []
  t.after(on(name, (detail) => details.push(detail)))
  return details
}

test('reportError and reportWarning are logged and told with context, error and details, secrets hidden', async (t) => {
  const told: { title: string; data: ReportData; error: Error }[] = []
  const reporter = install(t, (title, data, error) => void told.push({ title, data, error }))
  const logged = heard(t, 'service.report')
  const caught = new TypeError('no mail', { cause: new Error('port closed') })
  const task = { id: 't1', name: 'mail', attempt: 2 }
  withContext({ ...contextOf('c1', { sub: 'ada' }), task }, () => {
    const id = reportError('Mail is down', { error: caught, details: { to: 'bob', password: 'hunter2' } })
    reportWarning('Mail is slow')
    assert.equal(logged[0]?.errorId, id)
  })
  await reporter.idle(1000)
  const [down, slow] = told
  assert.deepEqual([down?.title, down?.error, slow?.title], ['Mail is down', caught, 'Mail is slow'])
  assert.deepEqual(
    [down?.data.level, slow?.data.level, slow?.data.is_fatal_error],
    ['error', 'warning', false],
  )
  assert.match(down?.data.trace ?? '', /TypeError: no mail[\s\S]*Caused by: Error: port closed/)
  assert.deepEqual(down?.data.details, { to: 'bob', password: '[hidden]' })
  assert.deepEqual([down?.data.task, down?.data.request], [task, undefined])
  assert.deepEqual([down?.data.user.id, down?.data.user.is_auth], ['ada', false])
  assert.match(slow?.data.trace.split('\n')[1] ?? '', /reporting\.test\.ts/, 'the stack begins at the caller')
  assert.deepEqual(
    logged.map(({ level, title, callId, userId, taskId }) => ({ level, title, callId, userId, taskId })),
    [
      { level: 'error', title: 'Mail is down', callId: 'c1', userId: 'ada', taskId: 't1' },
      { level: 'warning', title: 'Mail is slow', callId: 'c1', userId: 'ada', taskId: 't1' },
    ],
  )
})

test('a reporter that reports its own failure is told once', async (t) => {
  let calls = 0
  const reporter = install(t, () => {
    calls++
    reportError('the reporter failed')
  })
  reportError('first')
  await reporter.idle(1000)
  await reporter.idle(1000)
  assert.equal(calls, 1)
})

test('without a reporter, and whatever is given, reporting only logs and never throws', (t) => {
  const logged = heard(t, 'service.report')
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const error of [undefined, null, 'text', Object.create(null), circle]) reportError('odd', { error })
  assert.equal(logged.length, 5)
})

test('details that resist being read cost nothing but the report', async (t) => {
  let calls = 0
  const reporter = install(t, () => void calls++)
  const details = new Proxy({}, { ownKeys: () => assert.fail('resists') })
  reportError('odd', { details })
  await reporter.idle(1000)
  assert.equal(calls, 1)
})

test('log lines carry call, user and task of whoever says them', (t) => {
  const said = heard(t, 'service.log')
  withContext(contextOf('c1', { sub: 'ada' }), () => log.info('Charged', { amount: 3 }))
  log.error('Outside')
  assert.deepEqual(said, [
    {
      level: 'info',
      message: 'Charged',
      fields: { amount: 3 },
      callId: 'c1',
      userId: 'ada',
      taskId: undefined,
    },
    {
      level: 'error',
      message: 'Outside',
      fields: undefined,
      callId: undefined,
      userId: undefined,
      taskId: undefined,
    },
  ])
})
