import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { atEnd } from './support/at-end.ts'
import { cli } from './support/cli.ts'
import { copyOf } from './support/folders.ts'
import { load } from './support/load.ts'
import { tally } from './support/runs.ts'
import { type Answer, type RunningService, type StartOptions, startService } from './support/service.ts'
import { inStore, storeFile } from './support/store-file.ts'
import { end } from './support/storm.ts'
import { giveToNobody, nobody, setWritable, smallDisk } from './support/trouble.ts'

/** A store in trouble is told by a stable code; a request that fires gets a 503, never a 2xx that lies, and the others are served. */

test('a full disk answers 503, keeps what was stored, and goes on by itself once there is space', async (t) => {
  const folder = copyOf(t, 'bench')
  const disk = smallDisk(t, 24)
  if (disk === undefined) return t.skip('this user may not mount a small disk')
  configure(folder, `broker_url: sqlite:${join(disk, 'store')}\n`)
  const service = await startService(t, { folder })
  assert.equal((await service.fire('note', ['before'])).status, 200)
  const ballast = join(disk, 'ballast')
  fill(ballast)
  const refused = await until(() => refusal(service, 'x'.repeat(20_000)), { what: 'a 503 on a full disk' })
  assertUnavailable(refused)
  await service.says(/STORE_FULL/)
  assert.equal((await service.get('/wait/1')).status, 200, 'the rest is served')
  assert.equal((await service.get('/health/ready')).status, 503)
  rmSync(ballast)
  await until(async () => (await service.fire('note', ['after'])).status === 200, {
    what: 'a 2xx again',
    everyMs: 50,
  })
  await ran(service, ['before', 'after'])
  await until(async () => (await service.get('/health/ready')).status === 200, {
    what: 'readiness again',
    everyMs: 50,
  })
})

test('a disk that fills up under load loses nothing that was answered', async (t) => {
  const folder = copyOf(t, 'bench')
  const disk = smallDisk(t, 24)
  if (disk === undefined) return t.skip('this user may not mount a small disk')
  configure(folder, `broker_url: sqlite:${join(disk, 'store')}\n`)
  const service = await startService(t, { folder })
  const requesting = load(t, service, { clients: 4, requests: 600, args: ['x'.repeat(5000)] })
  await until(() => service.runs().length > 50, { what: 'tasks to run' })
  const ballast = join(disk, 'ballast')
  fill(ballast)
  await until(() => service.output.includes('STORE_FULL'), { what: 'the disk to be full', everyMs: 50 })
  rmSync(ballast)
  const { answered, refused } = await requesting.ended
  await ran(service, answered)
  const counts = tally(service.runs(), answered, (await service.tasks()).length)
  t.diagnostic(
    `answered ${answered.length}, refused ${JSON.stringify([...refused])}, runs ${counts.runs}, doubled ${counts.doubled}`,
  )
  assert.deepEqual(
    [...refused.keys()].filter((status) => status !== '503'),
    [],
  )
  assert.equal(counts.doubled, 0)
})

test('a store folder that may not be written is refused at start with STORE_UNWRITABLE, and used once it may', async (t) => {
  if (nobody === undefined) return t.skip('only root can start the service as another user')
  const folder = copyOf(t, 'bench')
  giveToNobody(dirname(folder))
  const first = await startService(t, { folder, uid: nobody })
  assert.equal((await first.fire('note', ['before'])).status, 200)
  await ran(first, ['before'])
  await end(first)
  setWritable(join(folder, '.macaron'), false)
  await assertRefused(t, { folder, uid: nobody }, /tasks\.db can't be opened[\s\S]*\[STORE_UNWRITABLE\]/)
  setWritable(join(folder, '.macaron'), true)
  const service = await startService(t, { folder, uid: nobody })
  assert.equal((await service.fire('note', ['after'])).status, 200)
  await ran(service, ['after'])
})

test('a store file of rubbish is refused at start with its name, left as it is, and used once it is mended', async (t) => {
  const { folder, copy } = await stoppedStore(t)
  const rubbish = Buffer.from('this is no database. '.repeat(1000))
  writeFileSync(storeFile(folder), rubbish)
  await assertRefused(t, { folder }, /tasks\.db is damaged or no SQLite database[\s\S]*\[STORE_CORRUPT\]/)
  assert.deepEqual(readFileSync(storeFile(folder)), rubbish, 'nothing was changed')
  copyFileSync(copy, storeFile(folder))
  await serves(t, folder)
})

test('a store file that is damaged under a running service answers 503 with its code, and no 2xx that lies', async (t) => {
  const service = await startService(t)
  for (let index = 0; index < 20; index += 1) await service.fire('work', [`k${index}`, 10])
  await until(() => service.runs().filter((run) => run.ended).length === 20, { what: 'the tasks to end' })
  // Every page but the first, which the processes know already; and the log, which holds the newest ones.
  const file = storeFile(service.folder)
  for (const path of [file, `${file}-wal`]) {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xa5, path === file ? 4096 : 32), { flag: 'r+' })
  }
  const answers: Answer[] = []
  for (let index = 0; index < 30; index += 1)
    answers.push(await service.fire('note', [`later${index}`, 'x'.repeat(9000)]))
  const lied = answers.flatMap((answer, index) => (answer.status === 200 ? [`later${index}`] : []))
  t.diagnostic(`after the damage: ${lied.length} of 30 answered 2xx, ${30 - lied.length} refused`)
  for (const answer of answers) if (answer.status !== 200) assertUnavailable(answer)
  await service.says(/STORE_CORRUPT/)
  await ran(service, lied)
})

test('a store of a newer version is refused with STORE_TOO_NEW by the service and the commands, and left as it is', async (t) => {
  const { folder } = await stoppedStore(t)
  inStore(folder, (database) => database.exec('PRAGMA user_version = 99'))
  await assertRefused(t, { folder }, /newer version of Macaron \(store version 99[\s\S]*\[STORE_TOO_NEW\]/)
  const listed = await cli(['tasks', 'ls', '--service', folder])
  assert.equal(listed.code, 1)
  assert.match(listed.stderr, /\[STORE_TOO_NEW\]/)
  inStore(folder, (database) => database.exec('PRAGMA user_version = 1'))
  await serves(t, folder)
})

test('a store that another machine uses is refused with STORE_ELSEWHERE, and taken over once that one is silent', async (t) => {
  const { folder } = await stoppedStore(t)
  const beats = setInterval(() => otherMachine(folder), 500)
  atEnd(t, () => clearInterval(beats))
  otherMachine(folder)
  await assertRefused(
    t,
    { folder },
    /in use by another machine \(elsewhere\.example\)[\s\S]*\[STORE_ELSEWHERE\]/,
  )
  clearInterval(beats)
  const service = await serves(t, folder)
  await service.says(/takes it over/)
})

test('a store that another machine has taken under a running service answers 503, and is used again once that one is silent', async (t) => {
  const service = await startService(t)
  assert.equal((await service.fire('note', ['before'])).status, 200)
  await ran(service, ['before'])
  const beats = setInterval(() => otherMachine(service.folder), 500)
  atEnd(t, () => clearInterval(beats))
  const refused = await until(() => refusal(service, ''), { what: 'a 503', timeoutMs: 15_000, everyMs: 100 })
  assertUnavailable(refused)
  await service.says(/STORE_ELSEWHERE/)
  clearInterval(beats)
  // Its last sign of life, long ago.
  otherMachine(service.folder, Date.now() - 3_600_000)
  await until(async () => (await service.fire('note', ['after'])).status === 200, {
    what: 'a 2xx',
    timeoutMs: 15_000,
    everyMs: 200,
  })
  await ran(service, ['after'])
})

/** Starting fails, saying this; a supervisor outside may try again, so the exit code is not that of a mistake in the files. */
async function assertRefused(t: TestContext, options: StartOptions, says: RegExp): Promise<void> {
  const service = await startService(t, { ...options, command: 'serve', wait: false })
  assert.equal(await service.exit, 1)
  await service.says(says)
}

/** The store can be used: what was in it is there, and what is fired now runs. */
async function serves(t: TestContext, folder: string): Promise<RunningService> {
  const service = await startService(t, { folder })
  assert.equal((await service.fire('note', ['after'])).status, 200)
  await ran(service, ['after'])
  const stored = await until(async () => allDone(await service.tasks()), {
    what: 'both to be done',
    everyMs: 100,
  })
  assert.equal(stored.length, 2, 'what was stored before is lost')
  return service
}

function allDone<T extends { state: string }>(tasks: readonly T[]): readonly T[] | undefined {
  return tasks.every((task) => task.state === 'done') ? tasks : undefined
}

function otherMachine(folder: string, beatAt = Date.now()): void {
  inStore(folder, (database) =>
    database
      .prepare("UPDATE machine SET boot = 'another-boot', host = 'elsewhere.example', beat_at = ?")
      .run(beatAt),
  )
}

/** A service that has run and stopped, and a copy of its store. */
async function stoppedStore(t: TestContext): Promise<{ folder: string; copy: string }> {
  const service = await startService(t)
  await service.fire('note', ['before'])
  await ran(service, ['before'])
  await end(service)
  const copy = join(service.folder, 'copy.db')
  inStore(service.folder, (database) => database.exec(`VACUUM INTO '${copy}'`))
  return { folder: service.folder, copy }
}

function configure(folder: string, more: string): void {
  const file = join(folder, 'macaron.yaml')
  writeFileSync(file, readFileSync(file, 'utf8') + more)
}

/** Fills a disk to the last byte. */
function fill(path: string): void {
  for (const size of [65_536, 4096, 512]) {
    const piece = Buffer.alloc(size)
    while (written(path, piece));
  }
}

function written(path: string, piece: Buffer): boolean {
  try {
    writeFileSync(path, piece, { flag: 'a' })
    return true
  } catch {
    return false
  }
}

async function refusal(service: RunningService, ballast: string): Promise<Answer | undefined> {
  const answer = await service.fire('note', ['on a full disk', ballast])
  return answer.status === 200 ? undefined : answer
}

function assertUnavailable({ status, body, headers }: Answer): void {
  assert.equal(status, 503, JSON.stringify(body))
  assert.equal(body.error, 'TASKS_UNAVAILABLE')
  assert.ok(headers.has('retry-after'))
}

async function ran(service: RunningService, keys: readonly string[]): Promise<void> {
  await until(
    () => {
      const ended = new Set(service.runs().flatMap((run) => (run.ended ? [run.key] : [])))
      return keys.every((key) => ended.has(key))
    },
    { what: `these to run: ${keys.slice(0, 5).join(', ')} …`, timeoutMs: 15_000, everyMs: 50 },
  )
}
