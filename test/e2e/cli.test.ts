import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { bin, cleanEnvironment, cli, documents } from './support/cli.ts'
import { copyOf } from './support/folders.ts'
import { type Listed, startService } from './support/service.ts'

const commands = [
  'init',
  'dev',
  'start',
  'serve',
  'work',
  'check',
  'generate',
  'token',
  'tasks',
  'tasks ls',
  'tasks show',
  'tasks retry',
  'tasks cancel',
  'tasks move',
  'tasks purge',
  'health',
]

test('every command explains itself with --help', async () => {
  const general = await cli(['--help'])
  assert.equal(general.code, 0)
  for (const name of commands) assert.ok(general.stdout.includes(name.split(' ')[0] ?? ''), name)
  const texts = await Promise.all(commands.map((name) => cli([...name.split(' '), '--help'])))
  texts.forEach(({ code, stdout }, index) => {
    assert.equal(code, 0, commands[index])
    assert.match(stdout, /^Usage: macaron /, commands[index])
    if (!['tasks', 'init'].includes(commands[index] ?? ''))
      assert.match(stdout, /--service <dir>/, commands[index])
  })
  assert.match((await cli(['--version'])).stdout, /^\d+\.\d+\.\d+/)
})

test('a mistyped command, option or state says the nearest one', async () => {
  const slips: readonly (readonly [string, RegExp])[] = [
    ['strat', /Did you mean start\?/],
    ['task ls', /Did you mean tasks\?/],
    ['tasks shwo', /Did you mean show\?/],
    ['start --prot 80', /Did you mean --port\?/],
    ['tasks ls --stat done', /Did you mean --state\?/],
    ['tasks ls --state finished', /queued.*running.*done/],
    ['tasks ls --limit none', /whole number from 1/],
    ['tasks show', /missing required argument 'id'/],
    ['tasks ls --before yesterday', /id of a task/],
    ['tasks retry', /either ids, or --state/],
    ['tasks retry an-id --state failed', /either ids, or --state/],
    ['tasks retry --name mail', /either ids, or --state/],
    ['tasks retry --state done', /failed, cancelled, parked/],
    ['tasks cancel --state running', /queued, scheduled/],
    ['tasks purge', /--state <state\.\.\.>' not specified/],
    ['tasks purge --state running', /done, failed, cancelled, parked/],
  ]
  const answers = await Promise.all(slips.map(([line]) => cli(line.split(' '))))
  slips.forEach(([line, says], index) => {
    assert.equal(answers[index]?.code, 1, line)
    assert.match(answers[index]?.stderr ?? '', says, line)
  })
})

test('a folder that is no service is told so, with what to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-e2e-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const line of ['tasks ls', 'health', 'token ada', 'start']) {
    const answer = await cli(line.split(' '), { cwd: folder })
    assert.equal(answer.code, 78, line)
    assert.match(answer.stderr, /There is no macaron\.yaml in .*--service DIR/, line)
  }
})

test('tasks and health read as a table for people and as a document a line with --json', async (t) => {
  const service = await startService(t)
  const { body } = await service.fire('returns', ['r', { deep: 1 }])
  const id = body.ids?.[0] ?? ''
  await service.fire('fail', ['f', 9], { options: { retries: 0 } })
  await service.fire('note', ['later'], { options: { delay: '1h', queue: 'slow', priority: 7 } })
  // The third is for later.
  await service.settled({ but: 1 })
  const tasks = await service.tasks()
  assert.deepEqual(
    tasks.map((task) => task.name),
    ['note', 'fail', 'returns'],
    'newest first',
  )
  assert.deepEqual([tasks[0]?.state, tasks[0]?.queue, tasks[0]?.priority], ['scheduled', 'slow', 7])
  const table = await service.cli('tasks', 'ls')
  assert.match(table.stdout, /^id +name +state +attempts +fired +error\n/)
  assert.match(table.stdout, /returns +done +1 /)
  assert.match(table.stdout, /fail +failed +1 .*As the test asked/)
  const [shown] = documents<Listed>(await service.cli('tasks', 'show', id, '--json'))
  assert.equal(shown?.id, id)
  assert.deepEqual(shown?.result, { deep: 1 })
  assert.match((await service.cli('tasks', 'show', id)).stdout, /state +done\n/)
  assert.deepEqual(
    (await service.tasks('--name', 'fail')).map((task) => task.name),
    ['fail'],
  )
  assert.deepEqual(
    (await service.tasks('--before', tasks[0]?.id ?? '')).map((task) => task.name),
    ['fail', 'returns'],
  )
  assert.equal(
    (await service.cli('tasks', 'ls', '--limit', '1', '--json')).stdout.trim().split('\n').length,
    1,
  )
  const missing = await service.cli('tasks', 'show', 'no-such-id')
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /There is no task no-such-id[\s\S]*\[NO_SUCH_TASK\]/)
  const health = await service.cli('health')
  assert.equal(health.code, 0)
  assert.match(health.stdout, /^well\n.*1 worker\(s\) alive/s)
  const [document] = documents<Record<string, unknown>>(await service.cli('health', '--json'))
  assert.equal(document?.ok, true)
  assert.equal(document?.workers, 1)
})

test('health says that tasks wait with no worker, with exit code 1', async (t) => {
  const service = await startService(t, { command: 'serve' })
  await service.fire('note', ['waits'])
  const health = await until(
    async () => {
      const answer = await service.cli('health')
      return answer.code === 1 ? answer : undefined
    },
    { what: 'health to complain', timeoutMs: 15_000, everyMs: 200 },
  )
  assert.match(health.stdout, /^NOT WELL\n.*worker/s)
  assert.match(health.stdout, /1 waiting/)
  const ready = await service.get('/health/ready')
  assert.deepEqual([ready.status, ready.body.ok], [200, false], 'requests are served, and their tasks stored')
})

test('a failed task is queued again by retry, and its counts begin anew', async (t) => {
  const service = await startService(t)
  const { body } = await service.fire('fail', ['f', 1], { options: { retries: 0 } })
  const id = body.ids?.[0] ?? ''
  await service.settled()
  assert.equal((await service.tasks('--state', 'failed')).length, 1)
  const retried = await service.cli('tasks', 'retry', id, '--json')
  assert.deepEqual(documents(retried), [{ id, done: true }])
  await until(() => service.runs().length === 2, { what: 'the second run' })
  assert.equal(service.runs()[1]?.attempt, 1)
  const [again] = documents<{ done: boolean; state: string }>(
    await service.cli('tasks', 'retry', 'no-such-id', '--json'),
  )
  assert.equal(again?.done, false)
})

test('retry and cancel take a state instead of ids, and a name or queue to narrow it', async (t) => {
  const service = await startService(t, { command: 'serve' })
  for (let index = 0; index < 130; index += 1)
    await service.fire('note', [`n${index}`], { options: { delay: '1h' } })
  await service.fire('returns', ['r', 1], { options: { delay: '1h' } })
  const all = (...words: readonly string[]) => service.cli('tasks', ...words)
  const count = async (...words: readonly string[]) =>
    (await service.tasks('--limit', '500', ...words)).length
  assert.match((await all('cancel', '--state', 'queued')).stdout, /^0 cancelled/)
  assert.match((await all('cancel', '--state', 'scheduled', '--name', 'note')).stdout, /^130 cancelled/)
  assert.deepEqual([await count('--state', 'cancelled'), await count('--state', 'scheduled')], [130, 1])
  assert.deepEqual(documents(await all('retry', '--state', 'cancelled', '--queue', 'other', '--json')), [
    { done: 0 },
  ])
  assert.match((await all('retry', '--state', 'cancelled')).stdout, /^130 queued again/)
  assert.equal(await count('--state', 'queued'), 130)
})

test('purge deletes what is over before its time, and nothing else', async (t) => {
  const service = await startService(t)
  await service.fire('returns', ['r', { deep: 1 }])
  await service.fire('fail', ['f', 9], { options: { retries: 0 } })
  await service.fire('note', ['later'], { options: { delay: '1h' } })
  await service.settled({ but: 1 })
  const purge = (...words: readonly string[]) =>
    cli(['tasks', 'purge', ...words, '--service', service.folder])
  assert.equal((await purge('--state', 'cancelled')).stdout, '0 deleted\n')
  assert.deepEqual(documents(await purge('--state', 'done', 'cancelled', '--json')), [{ deleted: 1 }])
  assert.deepEqual((await service.tasks()).map(({ state }) => state).toSorted(), ['failed', 'scheduled'])
  assert.equal((await purge('--state', 'failed', 'parked')).stdout, '1 deleted\n')
  assert.deepEqual(
    (await service.tasks()).map(({ state }) => state),
    ['scheduled'],
  )
})

test('a reader that has seen enough (head) ends neither a command nor a service with an error', async (t) => {
  const folder = copyOf(t, 'bench')
  for (const args of [['--help'], ['tasks', '--help'], ['tasks', 'ls', '--service', folder]]) {
    const child = spawn(process.execPath, [bin, ...args], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    assert.deepEqual([...(await once(child, 'close')), complaints], [0, null, ''])
  }
  const service = await startService(t, { folder, wait: false, deaf: true })
  await until(() => service.get('/health/live').catch(() => undefined), { what: 'it to serve' })
  await service.fire('note', ['heard'])
  await until(() => service.runs().some((run) => run.key === 'heard' && run.ended), { what: 'its task' })
})

/** A disk that is always full, where the system has one. */
const noFullDisk = existsSync('/dev/full') ? false : 'there is no /dev/full'
const ontoFullDisk = ['sh', '-c', 'exec "$@" > /dev/full', 'sh']

test('a command that could not print (a full disk) has done the rest, says so once and ends with exit code 1', {
  skip: noFullDisk,
}, async (t) => {
  const service = await startService(t, { command: 'serve' })
  const fired = await Promise.all(
    ['a', 'b'].map((key) => service.fire('note', [key], { options: { delay: '1h' } })),
  )
  const ids = fired.flatMap(({ body }) => body.ids ?? [])
  const place = ['--service', service.folder]
  for (const args of [
    ['--help'],
    ['--version'],
    ['tasks', '--help'],
    ['tasks', 'ls', ...place],
    ['health', '--json', ...place],
    ['tasks', 'cancel', ...ids, ...place],
  ]) {
    const { code, stderr } = await cli(args, { through: ontoFullDisk })
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, /^Standard output can't be written \(ENOSPC: [^\n]+\n$/, args.join(' '))
  }
  assert.equal((await service.tasks('--state', 'cancelled')).length, 2)
})

test('a service whose output nobody can take stops with exit code 0', { skip: noFullDisk }, async (t) => {
  const service = await startService(t, { wait: false, through: ontoFullDisk })
  await until(() => service.get('/health/live').catch(() => undefined), { what: 'it to serve' })
  await service.fire('note', ['heard'])
  await until(() => service.runs().some((run) => run.key === 'heard' && run.ended), { what: 'its task' })
  process.kill(service.pid, 'SIGTERM')
  assert.equal(await service.exit, 0)
  assert.equal(service.output, '')
})
