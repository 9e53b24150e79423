import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pino } from 'pino'
import { MessageError, StoreError } from '../../src/core/errors.ts'
import { type EventName, type Events, emit, isHeard } from '../../src/core/events.ts'
import { logEvents } from '../../src/core/log-lines.ts'

const request = { callId: 'c', method: 'POST', url: '/signup', userId: 'anna' }
const attempt = { taskId: 't', name: 'mail', attempt: 1, callId: 'c', userId: 'anna' }
const end = { pid: 7, code: null, signal: 'SIGKILL' }
const error = new Error('no mail today')

/** One detail of every event there is; a new one without an entry does not compile. */
const details: { readonly [Name in EventName]: Events[Name] } = {
  'request.start': request,
  'request.end': { ...request, status: 201, error: undefined, ms: 1.26, tasks: 2 },
  'request.crash': { ...request, errorId: 'e', error },
  'request.slow': { ...request, ms: 1200 },
  'service.log': { ...request, taskId: undefined, level: 'info', message: 'Said', fields: { plan: 'gold' } },
  'service.report': { ...request, taskId: undefined, level: 'warning', title: 'Odd', errorId: 'e', error },
  'reply.mismatch': { ...request, operation: 'POST /signup', status: 200, faults: ['a', 'b'] },
  'scope.dropped': { callId: 'c', userId: 'anna', tasks: ['mail'] },
  'task.late_fire': { name: 'mail', callId: 'c', userId: 'anna' },
  'task.stored': { count: 3, ms: 1 },
  'task.store_failed': { count: 1, code: 'STORE_FULL', error },
  'task.claimed': { count: 1, owner: 'w' },
  'task.handed': { taskId: 't', name: 'mail', executor: 'executor 1', attempt: 1 },
  'attempt.start': attempt,
  'attempt.end': { ...attempt, outcome: 'done', ms: 2 },
  'result.unstored': { taskId: 't', name: 'mail', callId: 'c', userId: 'anna', reason: 'It is too large.' },
  'task.outcome': { taskId: 't', name: 'mail', outcome: 'done' },
  'outcome.unstorable': { taskId: 't', name: 'mail', outcome: 'done', message: 'It has a child of no time.' },
  'task.settled': { count: 1 },
  'task.parked': { taskId: 't', name: 'mail', reason: 'poison', message: 'it dies' },
  'lease.lost': { taskId: 't', name: 'mail', outcome: 'done', atStop: false },
  'executor.ready': { executor: 'executor 1', pid: 7, ms: 3 },
  'executor.exit': { executor: 'executor 1', ...end, tasks: ['mail'] },
  'executor.crash': { error, task: 'mail' },
  'executor.blocked': { executor: 'executor 1', ms: 1000, tasks: ['mail'] },
  'executor.recycled': { executor: 'executor 1', rssMiB: 2000 },
  'client.end': {
    client: 'login',
    operation: 'getUser',
    method: 'GET',
    url: 'http://h/u',
    status: 200,
    ms: 1,
    tries: 2,
  },
  'client.retry': { client: 'login', operation: 'getUser', tries: 1, ms: 90, why: 'it was answered 503' },
  'client.mismatch': { client: 'login', operation: 'getUser', status: 200, faults: ['body is required'] },
  'dev.changed': { files: ['shop/accounts.ts'] },
  'dev.reloaded': { ms: 240 },
  'dev.broken': { serving: true },
  'child.ready': { child: 'server', pid: 7 },
  'child.exit': { child: 'server', ...end, restartInMs: 100 },
  'worker.ready': { owner: 'w', executors: 1, tasks: [] },
  'worker.stopping': { owner: 'w', running: 1 },
  'worker.paused': { owner: 'w' },
  'owner.recovered': { owner: 'w', tasks: 2 },
  'lease.expired': { tasks: ['t'] },
  'orphan.killed': { executor: 'executor 1', pid: 7 },
  'orphan.stuck': { executor: 'executor 1', message: 'It lives on' },
  'store.opened': {
    where: 'Redis at redis:6379',
    version: 'Redis 7.2.4',
    stored: 'it lasts.',
    durable: true,
  },
  'store.taken_over': { from: 'elsewhere' },
  'store.trouble': { code: 'STORE_FULL', message: 'No space' },
  'spool.begin': { code: 'STORE_UNREACHABLE', message: 'Redis is away.' },
  'spool.empty': { count: 2 },
  'store.well': { afterMs: 5 },
  'store.log_long': { code: 'STORE_LOG_LONG', message: 'The log has grown' },
  'store.log_short': { afterMs: 5000 },
  notice: { message: 'Mind this' },
}

/** Events that other events tell better: no line of their own. */
const silent: readonly EventName[] = [
  'task.claimed',
  'task.outcome',
  'task.settled',
  'child.ready',
  'worker.paused',
]

const names = Object.keys(details).filter((name): name is EventName => Object.hasOwn(details, name))

type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: number }

function linesOf(emitting: () => void, level = 'debug'): readonly LogLine[] {
  const lines: LogLine[] = []
  const end = logEvents(pino({ level, base: {} }, { write: (line: string) => lines.push(JSON.parse(line)) }))
  emitting()
  end()
  return lines
}

suite('log lines', () => {
  for (const name of names) {
    const expected = silent.includes(name) ? 0 : 1
    test(`${name} gives ${expected} line${expected === 1 ? '' : 's'} that reads as a sentence`, () => {
      const lines = linesOf(() => emit(name, details[name]))
      assert.equal(lines.length, expected)
      for (const { msg } of lines) {
        assert.doesNotMatch(msg, /undefined|null|NaN|\[object|\(s\)|\n/)
        assert.match(msg, /^[A-Z\de]/)
      }
    })
  }

  test('lines of requests and tasks carry call id, user id and task id', () => {
    for (const name of ['request.start', 'request.end', 'request.crash'] as const) {
      const [line] = linesOf(() => emit(name, details[name]))
      assert.partialDeepStrictEqual(line, { callId: 'c', userId: 'anna' })
    }
    for (const name of ['attempt.start', 'attempt.end'] as const) {
      const [line] = linesOf(() => emit(name, details[name]))
      assert.partialDeepStrictEqual(line, { callId: 'c', userId: 'anna', taskId: 't' })
    }
    for (const name of ['task.parked', 'lease.lost', 'task.handed', 'outcome.unstorable'] as const) {
      const [line] = linesOf(() => emit(name, details[name]))
      assert.equal(line?.taskId, 't')
    }
  })

  test('a message that ends with a full stop, or without, has one before the next sentence', () => {
    for (const message of ['It is no task. The nearest is mark', 'It is no task. The nearest is mark.']) {
      const lines = linesOf(() => {
        emit('task.parked', { ...details['task.parked'], message })
        emit('spool.begin', { code: 'STORE_UNREACHABLE', message })
      })
      for (const { msg } of lines) assert.match(msg, /is mark\. [ST]/)
    }
  })

  test('where only faults are logged, a request or attempt without one costs no line', () => {
    const lines = linesOf(() => {
      for (const name of ['attempt.start', 'attempt.end', 'request.end'] as const) emit(name, details[name])
      emit('request.end', { ...details['request.end'], status: 404, error: 'NOT_FOUND' })
      emit('request.end', { ...details['request.end'], status: 500 })
      emit('attempt.end', { ...details['attempt.end'], outcome: 'retry', error })
      emit('attempt.end', { ...details['attempt.end'], outcome: 'failed', error })
    }, 'warn')
    assert.deepEqual(
      lines.map(({ level }) => level),
      [50, 40, 50],
    )
  })

  test('what a request and an attempt came to stands in the line, with a level that fits', () => {
    const texts = linesOf(() => {
      emit('request.end', details['request.end'])
      emit('request.end', { ...details['request.end'], status: 503, error: 'TASKS_UNAVAILABLE', tasks: 0 })
      emit('attempt.end', details['attempt.end'])
      emit('attempt.end', { ...details['attempt.end'], outcome: 'retry', error })
      emit('attempt.end', { ...details['attempt.end'], outcome: 'failed', error })
    }).map(({ level, msg }) => `${level} ${msg}`)
    assert.deepEqual(texts, [
      '30 POST /signup → 201 in 1.3 ms, 2 tasks fired',
      '50 POST /signup → 503 TASKS_UNAVAILABLE in 1.3 ms',
      '30 Task mail done after 2.0 ms',
      '40 Task mail will run again after 2.0 ms: no mail today',
      '50 Task mail failed after 2.0 ms: no mail today',
    ])
  })

  test('a name that only a newer version knows is a deploy under way: a warning without a stack', () => {
    const unknown = new MessageError('unknown_task', 'This version of the service has no task mail.')
    const lines = linesOf(() => {
      emit('attempt.end', { ...details['attempt.end'], outcome: 'parked', error: unknown })
      emit('task.parked', { ...details['task.parked'], reason: 'unknown_task' })
    })
    assert.deepEqual(
      lines.map(({ level, err }) => [level, err]),
      [
        [40, undefined],
        [40, undefined],
      ],
    )
  })

  test('errors come with their stack', () => {
    const lines = linesOf(() => {
      emit('request.crash', details['request.crash'])
      emit('attempt.end', { ...details['attempt.end'], outcome: 'failed', error })
      emit('executor.crash', details['executor.crash'])
    })
    for (const line of lines) assert.match(JSON.stringify(line.err), /log-lines\.test/)
    assert.equal(lines.length, 3)
  })

  test('at a store that fails no request logs a stack', () => {
    const full = new StoreError('STORE_FULL', 'No space left')
    const [line] = linesOf(() => emit('request.crash', { ...details['request.crash'], error: full }))
    assert.partialDeepStrictEqual(line, { code: 'STORE_FULL', errorId: 'e', callId: 'c' })
    assert.doesNotMatch(JSON.stringify(line), /log-lines\.test/)
  })

  test('above debug nobody listens to what only debug shows', () => {
    const lines = linesOf(() => {
      for (const name of ['request.start', 'task.handed', 'task.stored'] as const)
        assert.equal(isHeard(name), false)
      emit('notice', { message: 'Mind this' })
    }, 'info')
    assert.equal(lines.length, 1)
  })

  test('after its end nothing is logged', () => {
    const lines: string[] = []
    logEvents(pino({}, { write: (line: string) => void lines.push(line) }))()
    for (const name of names) emit(name, details[name])
    assert.deepEqual(lines, [])
  })
})
