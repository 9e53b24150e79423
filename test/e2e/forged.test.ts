import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Seal } from '../../src/tasks/seal.ts'
import { until } from '../support/until.ts'
import { sealed } from '../tasks/support.ts'
import type { Ending } from './support/at-end.ts'
import { type Listed, type RunningService, startService } from './support/service.ts'
import { shared } from './support/shared-service.ts'
import { alter, stored } from './support/store-file.ts'
import { end } from './support/storm.ts'

/** What can't be trusted or read is never run: it is kept with its reason, told, and can be retried once mended. */

/** A service started on a store that was altered meanwhile. */
const altered = shared(async (file) => {
  const { folder, ids } = await storedTasks(file, 8)
  const [
    args = '',
    name = '',
    context = '',
    options = '',
    swapped = '',
    good = '',
    mendable = '',
    future = '',
  ] = ids
  const before = stored(folder, mendable, 'args')
  for (const id of [args, mendable]) alter(folder, id, { args: '["forged"]' })
  alter(folder, name, { name: 'once' })
  const sealed = stored(folder, context, 'context')
  alter(folder, context, { context: sealed.slice(0, -4) + (sealed.endsWith('AAAA') ? 'BBBB' : 'AAAA') })
  alter(folder, options, { options: '{"retries":9}' })
  alter(folder, swapped, { context: stored(folder, good, 'context') })
  // Only who has the key can store them so: the fixture's own key, as a newer version of Macaron would.
  const undecodable = '[{"$":"from-the-future","v":1}]'
  alter(folder, future, { args: undecodable, context: sealedAs(folder, future, undecodable) })
  const service = await startService(file, { folder })
  await service.settled()
  const forged = [args, name, context, options, swapped]
  return { service, forged, good, mendable: { id: mendable, before }, future, tasks: await service.tasks() }
})

test('tasks altered in the store are parked as refused, whichever part was altered, and the others run', async () => {
  const { service, forged, good, tasks } = await altered()
  for (const id of forged) {
    const task = tasks.find((one) => one.id === id)
    assert.deepEqual([task?.state, task?.reason], ['parked', 'refused'])
    await service.says(new RegExp(`is parked \\(refused\\).*macaron tasks show ${id}`))
  }
  assert.equal(tasks.find((one) => one.id === good)?.state, 'done')
  assert.equal(service.runs()[0]?.id, good)
  assert.ok(service.runs().every((run) => !forged.includes(run.id)))
})

test('a mended task runs when it is retried', async () => {
  const { service, mendable, tasks } = await altered()
  const { id, before } = mendable
  assert.equal(tasks.find((one) => one.id === id)?.reason, 'refused')
  alter(service.folder, id, { args: before })
  const retried = await service.cli('tasks', 'retry', id)
  assert.equal(retried.code, 0, retried.stderr)
  const run = await until(() => service.runs().find((one) => one.id === id && one.ended), {
    what: 'the mended task to run',
  })
  assert.equal(run.key, 'k6')
})

test('arguments that nobody can decode are parked as undecodable, forged ones as refused', async () => {
  const { service, future, tasks } = await altered()
  const task = tasks.find((one) => one.id === future)
  assert.deepEqual([task?.state, task?.reason], ['parked', 'undecodable'])
  await service.says(/is parked \(undecodable\)/)
})

test('a task sealed with a key that is gone is parked as unknown_key, and goes on by itself with the key back', async (t) => {
  const { folder, ids } = await storedTasks(t, 1)
  const [id = ''] = ids
  const key = readFileSync(join(folder, '.macaron', 'seal.key'), 'utf8').trim()
  const other = 'another-key-of-more-than-thirty-two-bytes'
  const config = readFileSync(join(folder, 'macaron.yaml'), 'utf8')
  writeFileSync(join(folder, 'macaron.yaml'), `${config}seal_keys: ['${other}']\n`)
  const without = await startService(t, { folder })
  const [parked] = await parkedTasks(without, 1)
  assert.equal(parked?.reason, 'unknown_key')
  assert.match(parked?.error?.message ?? '', /seal_keys/)
  await end(without)
  writeFileSync(join(folder, 'macaron.yaml'), `${config}seal_keys: ['${other}', '${key}']\n`)
  const back = await startService(t, { folder })
  await until(() => back.runs().some((run) => run.id === id && run.ended), { what: 'the task to run' })
})

test('a task no worker knows is parked as unknown_task, and goes on by itself when one knows it', async (t) => {
  const { folder, ids } = await storedTasks(t, 1)
  const [id = ''] = ids
  const modules = ['tasks/bench.ts', 'bench/endpoints.ts', 'apis/bench.yaml'].map((path) =>
    join(folder, path),
  )
  const texts = modules.map((path) => readFileSync(path, 'utf8'))
  // An old worker: the same service before `note` was written.
  modules.forEach((path, index) => {
    writeFileSync(path, (texts[index] ?? '').replaceAll('function note(', 'function formerName('))
  })
  const old = await startService(t, { folder, command: 'work' })
  const [parked] = await parkedTasks(old, 1)
  assert.equal(parked?.reason, 'unknown_task')
  await old.says(/Task note is parked \(unknown_task\)/)
  modules.forEach((path, index) => {
    writeFileSync(path, texts[index] ?? '')
  })
  const young = await startService(t, { folder, command: 'work' })
  await until(() => young.runs().some((run) => run.id === id && run.ended), {
    what: 'the task to run by itself',
  })
})

/** Tasks stored by a server without a worker, which is then gone. */
async function storedTasks(t: Ending, count: number): Promise<{ folder: string; ids: readonly string[] }> {
  const server = await startService(t, { command: 'serve' })
  const ids: string[] = []
  for (let index = 0; index < count; index += 1) {
    const { body } = await server.fire('note', [`k${index}`])
    ids.push(...(body.ids ?? []))
  }
  await end(server)
  return { folder: server.folder, ids }
}

async function parkedTasks(service: RunningService, count: number): Promise<readonly Listed[]> {
  await service.settled()
  const parked = await service.tasks('--state', 'parked')
  assert.equal(parked.length, count)
  return parked
}

/** The sealed context of a stored task with other arguments, made with the service's own key. */
function sealedAs(folder: string, id: string, args: string): string {
  const seal = new Seal([readFileSync(join(folder, '.macaron', 'seal.key'), 'utf8').trim()])
  const part = (column: string) => stored(folder, id, column)
  const signed = { id, name: part('name'), firedAt: Number(part('fired_at')), options: part('options') }
  const text = seal.open({ ...signed, args: part('args'), context: part('context') })
  return sealed(seal, { ...signed, args }, text).context
}
