import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { on } from '../../src/core/events.ts'
import { holders, isAlive } from '../../src/supervisor/alive.ts'
import { sweepAllOrphans, sweepOrphans } from '../../src/supervisor/orphans.ts'
import { ownFolder } from '../support/folder.ts'
import { startedProgram } from '../support/processes.ts'

const program = new URL('./fixtures/holder.ts', import.meta.url)

function holder(context: TestContext, ...args: string[]) {
  return startedProgram(context, program, { args })
}

test('executors of a dead worker are killed, in a busy loop and stopped alike, and nobody else', async (t) => {
  const folder = ownFolder(t)
  const spinning = await holder(t, folder, 'dead.1', 'dead', 'spinning')
  const stopped = await holder(t, folder, 'dead.2', 'dead')
  stopped.kill('SIGSTOP')
  const other = await holder(t, folder, 'other.1', 'other')
  const killed: string[] = []
  t.after(on('orphan.killed', (detail) => killed.push(detail.executor)))

  assert.equal(await sweepOrphans(folder, 'dead'), true)

  assert.deepEqual(killed.sort(), ['dead.1', 'dead.2'])
  assert.equal(isAlive(folder, 'dead.1'), false)
  assert.equal(isAlive(folder, 'dead.2'), false)
  assert.equal(isAlive(folder, 'other.1'), true)
  assert.deepEqual(
    holders(folder).map(({ id }) => id),
    ['other.1'],
  )
  assert.equal(other.exitCode, null)
  assert.equal(spinning.pid === undefined, false)
})

test('traces of executors that are dead already are removed and kill nobody', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'dead.1', 'dead')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const killed: string[] = []
  t.after(on('orphan.killed', (detail) => killed.push(detail.executor)))
  assert.equal(await sweepOrphans(folder, 'dead'), true)
  assert.deepEqual(killed, [])
  assert.deepEqual(holders(folder), [])
})

test('a living process that is not the one of the facts is never killed', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'dead.1', 'dead')
  const innocent = await holder(t, folder, 'innocent')
  const path = join(folder, 'dead.1.json')
  const facts = JSON.parse(readFileSync(path, 'utf8'))
  // As if the executor lived in another container: its pid means another process here.
  writeFileSync(path, JSON.stringify({ ...facts, pid: innocent.pid }))
  const stuck: string[] = []
  t.after(on('orphan.stuck', (detail) => stuck.push(detail.executor)))

  assert.equal(await sweepOrphans(folder, 'dead'), false)

  assert.deepEqual(stuck, ['dead.1'])
  assert.equal(innocent.exitCode, null)
  assert.equal(innocent.signalCode, null)
  assert.equal(isAlive(folder, 'dead.1'), true)
  assert.equal(child.signalCode, null)
})

test('sweeping all spares the executors of living workers', async (t) => {
  const folder = ownFolder(t)
  await holder(t, folder, 'alive')
  await holder(t, folder, 'alive.1', 'alive')
  await holder(t, folder, 'dead.1', 'dead', 'spinning')
  assert.equal(await sweepAllOrphans(folder), true)
  assert.equal(isAlive(folder, 'alive.1'), true)
  assert.equal(isAlive(folder, 'dead.1'), false)
})
