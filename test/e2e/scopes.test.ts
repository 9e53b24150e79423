import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'
import { sharedService } from './support/shared-service.ts'

/** A request fires its tasks if it succeeds, and only then; `fire.now` does not wait for that. */

/** For tests that look at their own tasks only. */
const ordinary = sharedService()

const failures = [
  { end: 'throw', status: 500 },
  { end: 'throw_conflict', status: 409 },
  { end: 'reply_conflict', status: 409 },
  { end: 'hang', status: 408 },
  { end: 'bad_reply', status: 500 },
  { end: 'unportable', status: 500 },
] as const

test('a request that does not succeed fires nothing, whatever ends it; what was fired with fire.now is stored', async (t) => {
  const service = await serviceWithShortPatience(t)
  for (const { end, status } of failures) {
    const staged = await service.fire('note', [`staged ${end}`], { times: 3, end })
    assert.equal(staged.status, status, `${end}: ${JSON.stringify(staged.body)}`)
    const now = await service.fire('note', [`now ${end}`], { now: true, end })
    assert.equal(now.status, status)
  }
  // Twice for `hang`: its handler fires once more when its time is over, with fire.now the second time.
  const expected = failures.map(({ end }) => `now ${end}`)
  await until(() => expected.every((key) => service.runs().some((run) => run.key === key && run.ended)), {
    what: 'the tasks of fire.now',
  })
  const codes = await until(() => droppedCodes(service), {
    what: 'the late fires of the handlers that timed out',
  })
  assert.deepEqual(codes, ['SCOPE_DROPPED'])
  const stored = await service.tasks()
  assert.deepEqual(new Set(stored.map(keyOf)), new Set(expected))
})

test('what code fires after its reply has gone is stored at once and said once', async () => {
  const service = await ordinary()
  for (const key of ['a', 'b']) assert.equal((await service.fire('note', [key], { end: 'late' })).status, 200)
  await until(() => service.runs().filter(({ key }) => key === 'a' || key === 'b').length === 4, {
    what: 'two tasks of the requests and two late ones',
  })
  await service.says(/was fired after its request or attempt had ended/)
  assert.equal(service.output.match(/was fired after its request or attempt had ended/g)?.length, 1)
})

test('many tasks of one request are stored together, and none before the handler has returned', async () => {
  const service = await ordinary()
  const { body } = await service.fire('note', ['many'], { times: 200 })
  const own = () => service.runs().filter((run) => run.key === 'many')
  await until(() => own().length === 200, { what: 'all to run' })
  assert.deepEqual(
    own()
      .map((run) => run.id)
      .toSorted(),
    body.ids?.toSorted(),
  )
})

test('the result of a task is waited for with fire.now, and refused in the scope that has yet to release it', async () => {
  const service = await ordinary()
  const now = await service.fire('returns', ['r', { deep: [1, 'two'] }], { now: true, end: 'result' })
  assert.deepEqual(now.body.result, { deep: [1, 'two'] })
  const staged = await service.fire('returns', ['s', 1], { end: 'result' })
  assert.equal(staged.status, 500)
  assert.equal(staged.body.error, 'TASK_NOT_RELEASED')
  await service.says(/TASK_NOT_RELEASED|fire\.now/)
})

function serviceWithShortPatience(t: TestContext) {
  return startService(t, {
    files: {
      'macaron.yaml':
        'name: bench\nwith_async: true\nworker_count: 1\nrequest_timeout: 400ms\nlog_format: json\n',
    },
  })
}

function keyOf(task: { args: unknown }): unknown {
  return Array.isArray(task.args) ? task.args[0] : undefined
}

/** The codes that the handlers met which went on after a 408. */
function droppedCodes(service: Awaited<ReturnType<typeof startService>>): string[] | undefined {
  const codes = service.runs().flatMap((run) => (run.task === 'hang' ? [String(run.error)] : []))
  return codes.length === 0 ? undefined : codes
}
