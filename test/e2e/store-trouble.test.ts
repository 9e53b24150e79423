import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { atEnd } from './support/at-end.ts'
import { copyOf } from './support/folders.ts'
import { load } from './support/load.ts'
import { assertUnavailable, ran } from './support/refused.ts'
import { tally } from './support/runs.ts'
import { type Answer, type RunningService, startService } from './support/service.ts'
import { otherMachine, storeFile } from './support/store-file.ts'
import { end } from './support/storm.ts'
import { configure, fill, smallDisk } from './support/trouble.ts'

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

test('damage in the middle of a store is met by the worker; then what fires gets 503, health and log name it', async (t) => {
  const { folder, readable } = await damagedInTheMiddle(t)
  const service = await startService(t, { folder })
  await ran(service, readable)
  await service.says(/"role":"worker"[^\n]*"code":"STORE_CORRUPT"/)
  assertUnavailable(await service.fire('note', ['later']))
  assert.equal((await service.get('/wait/1')).status, 200, 'the rest is served')
  assert.equal((await service.get('/health/ready')).status, 503)
  const { code, stdout } = await service.cli('health')
  assert.equal(code, 1)
  assert.match(stdout, /NOT WELL\n[^\n]*tasks\.db is damaged[^\n]*\[STORE_CORRUPT\]/)
  await end(service)
  assert.doesNotMatch(service.output, /works again/)
  // It has met nothing itself, and no worker is there to meet it.
  const server = await startService(t, { folder, command: 'serve' })
  assertUnavailable(await server.fire('note', ['later still']))
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

/** A service's store that nobody has open, with a task on a damaged page; `readable`: what certainly comes before it. */
async function damagedInTheMiddle(t: TestContext): Promise<{ folder: string; readable: readonly string[] }> {
  const { folder } = await stored(t)
  const file = storeFile(folder)
  const content = readFileSync(file)
  const page = Math.floor(content.indexOf('k30k') / 4_096) * 4_096
  writeFileSync(file, content.fill(0xa5, page, page + 4_096), { flag: 'r+' })
  return { folder, readable: Array.from({ length: 20 }, (_, index) => `k${index}k`) }
}

/** A service that has ended, whose tasks no worker has seen. */
async function stored(t: TestContext): Promise<RunningService> {
  const service = await startService(t, { command: 'serve' })
  for (let index = 0; index < 60; index += 1)
    assert.equal((await service.fire('note', [`k${index}k`, 'x'.repeat(500)])).status, 200)
  await end(service)
  return service
}

async function refusal(service: RunningService, ballast: string): Promise<Answer | undefined> {
  const answer = await service.fire('note', ['on a full disk', ballast])
  return answer.status === 200 ? undefined : answer
}
