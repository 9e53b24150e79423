import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { holdAlive, holders, isAlive, removeTraces } from '../../src/supervisor/alive.ts'
import { ownFolder } from '../support/folder.ts'
import { startedProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'

const program = new URL('./fixtures/holder.ts', import.meta.url)

function holder(context: TestContext, ...args: string[]) {
  return startedProgram(context, program, { args })
}

test('a lock is seen from another process while its holder lives, and free once it is killed', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'worker-1')
  assert.equal(isAlive(folder, 'worker-1'), true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isAlive(folder, 'worker-1'), false)
})

test('asking about nobody says dead and leaves no file behind', (t) => {
  const folder = ownFolder(t)
  assert.equal(isAlive(folder, 'nobody'), false)
  assert.equal(isAlive(join(folder, 'absent'), 'nobody'), false)
  assert.deepEqual(readdirSync(folder), [])
})

test('a process asks about itself without losing its lock', async (t) => {
  const folder = ownFolder(t)
  const lock = holdAlive(folder, 'self')
  assert.equal(isAlive(folder, 'self'), true)
  assert.throws(() => holdAlive(folder, 'self'), { code: 'ALIVE_LOCKED' })
  assert.equal(isAlive(folder, 'self'), true)
  lock.release()
  lock.release()
  assert.equal(isAlive(folder, 'self'), false)
  assert.deepEqual(readdirSync(folder), [])
})

test('a holder that stays after its release is dead to others', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'worker-1')
  child.send('release')
  await once(child, 'message')
  assert.equal(isAlive(folder, 'worker-1'), false)
  assert.deepEqual(holders(folder), [])
})

test('a lock that its own process has dropped by accident still counts while that process lives', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'worker-1', '-', 'careless')
  assert.equal(isAlive(folder, 'worker-1'), true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isAlive(folder, 'worker-1'), false)
})

test('a stopped process (SIGSTOP) is alive', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'worker-1')
  child.kill('SIGSTOP')
  assert.equal(isAlive(folder, 'worker-1'), true)
})

test('many who ask at once never see a dead holder as alive nor keep a new one from its lock', async (t) => {
  const folder = ownFolder(t)
  const dead = await holder(t, folder, 'dead')
  dead.kill('SIGKILL')
  await once(dead, 'exit')
  const others = await Promise.all(Array.from({ length: 3 }, (_, n) => holder(t, folder, `other-${n}`)))
  for (let round = 0; round < 300; round++) {
    assert.equal(isAlive(folder, 'dead'), false)
    for (let n = 0; n < others.length; n++) assert.equal(isAlive(folder, `other-${n}`), true)
  }
})

test('facts about holders stay until their traces are removed', async (t) => {
  const folder = ownFolder(t)
  const child = await holder(t, folder, 'worker-1.2', 'worker-1')
  const [facts] = holders(folder)
  assert.equal(facts?.id, 'worker-1.2')
  assert.equal(facts?.parent, 'worker-1')
  assert.equal(facts?.pid, child.pid)
  child.kill('SIGKILL')
  await until(() => !isAlive(folder, 'worker-1.2'), { what: 'the lock to be free' })
  assert.equal(holders(folder).length, 1)
  removeTraces(folder, 'worker-1.2')
  assert.deepEqual(holders(folder), [])
  assert.equal(existsSync(join(folder, 'worker-1.2.lock')), false)
})
