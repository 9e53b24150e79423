import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { atEnd } from './support/at-end.ts'
import { cli } from './support/cli.ts'
import { copyOf } from './support/folders.ts'
import { assertUnavailable, ran } from './support/refused.ts'
import { type RunningService, type StartOptions, startService } from './support/service.ts'
import { inStore, otherMachine, storeFile } from './support/store-file.ts'
import { end } from './support/storm.ts'
import { configure, fill, giveToNobody, nobody, setWritable, smallDisk } from './support/trouble.ts'

/**
 * A service that starts while its store can't be opened: it serves what needs no store, refuses what fires, says why, and goes on by itself, worker
 * included, once the store can be opened.
 */

const template = mkdtempSync(join(tmpdir(), 'macaron-e2e-used-'))

/** Run once: what a service leaves behind that has run the task `before`. */
let used: Promise<void> | undefined

async function leaveUsed(t: TestContext): Promise<void> {
  const service = await startService(t)
  await service.fire('note', ['before'])
  await ran(service, ['before'])
  await end(service)
  for (const name of ['.macaron', 'runs.ndjson'])
    cpSync(join(service.folder, name), join(template, name), { recursive: true })
}

after(() => rmSync(template, { recursive: true }))

test('a store folder that may not be written', async (t) => {
  if (nobody === undefined) return t.skip('only root can start the service as another user')
  const folder = await usedService(t)
  giveToNobody(dirname(folder))
  setWritable(join(folder, '.macaron'), false)
  const service = await startsWithout(t, { folder, uid: nobody }, 'STORE_UNWRITABLE')
  setWritable(join(folder, '.macaron'), true)
  await goesOn(service)
  await knows(service, 'before')
})

test('a folder in which neither keys nor store can be made', async (t) => {
  if (nobody === undefined) return t.skip('only root can start the service as another user')
  const folder = copyOf(t, 'bench', { files: { 'apis/guarded.yaml': guarded } })
  mkdirSync(join(folder, '.macaron'))
  giveToNobody(dirname(folder))
  chmodSync(join(folder, '.macaron'), 0o500)
  const service = await startsWithout(t, { folder, uid: nobody }, 'STORE_UNWRITABLE')
  const ask = async () => {
    const answer = await fetch(`${service.url}/guarded/1`, { headers: { authorization: 'Bearer a.b.c' } })
    return `${answer.status} ${JSON.parse(await answer.text()).error}`
  }
  assert.equal(await ask(), '503 KEY_UNAVAILABLE')
  chmodSync(join(folder, '.macaron'), 0o700)
  assert.equal(await ask(), '401 TOKEN_INVALID')
  await goesOn(service)
})

test('a disk that is full', async (t) => {
  const disk = smallDisk(t, 24)
  if (disk === undefined) return t.skip('this user may not mount a small disk')
  const folder = copyOf(t, 'bench')
  configure(folder, `broker_url: sqlite:${join(disk, 'store')}\n`)
  const ballast = join(disk, 'ballast')
  fill(ballast)
  const service = await startsWithout(t, { folder }, 'STORE_FULL')
  rmSync(ballast)
  await goesOn(service)
})

test('a disk with room for the store, but for nothing more', async (t) => {
  const disk = smallDisk(t, 24)
  if (disk === undefined) return t.skip('this user may not mount a small disk')
  const folder = await usedService(t)
  cpSync(join(folder, '.macaron'), join(disk, 'store'), { recursive: true })
  configure(folder, `broker_url: sqlite:${join(disk, 'store')}\n`)
  const ballast = join(disk, 'ballast')
  fill(ballast)
  const service = await startService(t, { folder, wait: false })
  await serves(service)
  await service.says(/"role":"worker"[^\n]*"code":"STORE_(FULL|UNWRITABLE)"/)
  rmSync(ballast)
  await goesOn(service)
  await knows(service, 'before')
})

test('a store file of rubbish, which is left as it is', async (t) => {
  const folder = await usedService(t)
  renameSync(storeFile(folder), join(folder, 'good.db'))
  const rubbish = Buffer.from('this is no database. '.repeat(1000))
  writeFileSync(storeFile(folder), rubbish)
  const service = await startsWithout(t, { folder }, 'STORE_CORRUPT')
  assert.deepEqual(readFileSync(storeFile(folder)), rubbish, 'nothing was changed')
  renameSync(join(folder, 'good.db'), storeFile(folder))
  await goesOn(service)
  await knows(service, 'before')
})

test('a store of a newer version, which is left as it is; the commands refuse it', async (t) => {
  const folder = await usedService(t)
  inStore(folder, (database) => database.exec('PRAGMA user_version = 99'))
  const service = await startsWithout(t, { folder }, 'STORE_TOO_NEW')
  const listed = await service.cli('tasks', 'ls')
  assert.equal(listed.code, 1)
  assert.match(listed.stderr, /newer version of Macaron \(store version 99[\s\S]*\[STORE_TOO_NEW\]/)
  inStore(folder, (database) => database.exec('PRAGMA user_version = 1'))
  await goesOn(service)
  await knows(service, 'before')
})

test('a store that another machine uses, which is taken over once that one is silent', async (t) => {
  const folder = await usedService(t)
  const beats = setInterval(() => otherMachine(folder), 500)
  atEnd(t, () => clearInterval(beats))
  otherMachine(folder)
  const service = await startsWithout(t, { folder }, 'STORE_ELSEWHERE')
  clearInterval(beats)
  // Its last sign of life, long ago.
  otherMachine(folder, Date.now() - 3_600_000)
  await goesOn(service)
  await service.says(/takes it over/)
  await knows(service, 'before')
})

test('a worker alone waits for its store too, and stops at once when told to meanwhile', async (t) => {
  const folder = await usedService(t)
  inStore(folder, (database) => database.exec('PRAGMA user_version = 99'))
  const worker = await startService(t, { folder, command: 'work', wait: false })
  await worker.says(/STORE_TOO_NEW/)
  await end(worker)
  assert.equal(await worker.exit, 0)
  assert.doesNotMatch(worker.output, /Runs tasks in/)
})

/** An operation that needs a token: in development the secret for it is made where there is none. */
const guarded = `openapi: 3.0.3
info: { title: Guarded, version: '1' }
security: [{ jwt: [] }]
components:
  securitySchemes: { jwt: { type: http, scheme: bearer } }
paths:
  /guarded/{ms}:
    get:
      operationId: bench.endpoints.waitFor
      parameters: [{ name: ms, in: path, required: true, schema: { type: integer } }]
      responses: { '200': { description: ok } }
`

/** A folder in which a task `before` has run, and that nobody uses now. */
async function usedService(t: TestContext): Promise<string> {
  used ??= leaveUsed(t)
  await used
  const folder = copyOf(t, 'bench')
  cpSync(join(template, '.macaron'), join(folder, '.macaron'), { recursive: true })
  cpSync(join(template, 'runs.ndjson'), join(folder, 'runs.ndjson'))
  return folder
}

/** It serves, though not what fires; log, readiness and the command say why, the log once a process. */
async function startsWithout(t: TestContext, options: StartOptions, code: string): Promise<RunningService> {
  const service = await startService(t, { ...options, wait: false })
  await serves(service)
  assertUnavailable(await service.fire('note', ['refused']))
  const refused = await service.fire('note', ['refused'], { now: true })
  assertUnavailable(refused)
  assert.match(String(refused.body.error_description), new RegExp(code))
  const ready = await service.get('/health/ready')
  assert.equal(ready.status, 503)
  assert.match(JSON.stringify(ready.body.reasons), new RegExp(`\\[${code}\\]`))
  const health = await cli(['health', '--json', '--service', service.folder], asUser(options))
  assert.equal(health.code, 1, health.stderr)
  assert.match(health.stdout, new RegExp(`"ok":false,"storing":false.*\\[${code}\\]`))
  await until(() => troubles(service, 'worker').length > 0, { what: 'the worker to say why it waits' })
  return service
}

function asUser({ uid }: StartOptions) {
  return uid === undefined ? {} : { uid, gid: uid }
}

async function serves(service: RunningService): Promise<void> {
  await until(async () => (await service.get('/wait/1').catch(() => undefined))?.status === 200, {
    what: `an operation that needs no store to be served; it said:\n${service.output}`,
    timeoutMs: 60_000,
    everyMs: 25,
  })
}

/** By itself: what is fired runs, the health is good, and what was refused never runs. */
async function goesOn(service: RunningService): Promise<void> {
  await until(async () => (await service.fire('note', ['after'])).status === 200, {
    what: 'a 2xx',
    timeoutMs: 20_000,
    everyMs: 50,
  })
  await ran(service, ['after'])
  await until(async () => (await service.get('/health/ready')).status === 200, {
    what: 'readiness',
    everyMs: 50,
  })
  for (const role of ['server', 'worker']) {
    const said = troubles(service, role)
    assert.equal(new Set(said).size, said.length, `said more than once by the ${role}: ${said.join('\n')}`)
    await service.says(new RegExp(`"role":"${role}"[^\n]*The task store works again`))
  }
  assert.ok(!service.runs().some((run) => run.key === 'refused'))
  assert.equal(service.pids('worker').length, 1)
}

/** What a process has said of its store's trouble; requests and tasks that fail by it are told one by one. */
function troubles(service: RunningService, role: string): readonly string[] {
  const lines = service.output.split('\n').filter((line) => line.startsWith('{'))
  return lines
    .map((line): { role?: string; code?: string; msg?: string; errorId?: string } => JSON.parse(line))
    .filter((line) => line.role === role && line.code?.startsWith('STORE_') === true)
    .filter(({ msg = '', errorId }) => errorId === undefined && !/could not be stored/.test(msg))
    .map(({ code = '' }) => code)
}

async function knows(service: RunningService, key: string): Promise<void> {
  const tasks = await service.tasks()
  const keys = tasks.map((task) => JSON.stringify(task.args))
  assert.ok(
    keys.some((args) => args.includes(key)),
    `what was stored before is lost: ${keys.join(' ')}`,
  )
}
