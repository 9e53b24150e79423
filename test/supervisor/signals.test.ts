import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ownFolder } from '../support/folder.ts'
import { runs, startProgram } from '../support/processes.ts'
import { until } from '../support/until.ts'

const program = new URL('./fixtures/top.ts', import.meta.url)

/** A process at the top with one child, in a process group of its own so that a terminal's Ctrl-C can be played. */
async function startTop(context: TestContext, ...args: string[]) {
  const top = startProgram(context, program, {
    args,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  })
  const said: string[] = []
  top.stdout?.on('data', (data) => said.push(...String(data).trim().split('\n')))
  const line = await until(() => said.find((text) => text.startsWith('child ')), {
    what: 'the child to be ready',
  })
  const childPid = Number(line.split(' ')[1])
  context.after(() => {
    if (runs(childPid)) process.kill(childPid, 'SIGKILL')
  })
  return { top, said, childPid }
}

/** Ends a top that has started its child again, before the folder that child writes to is removed. */
async function stopTop(top: ChildProcess): Promise<void> {
  top.kill('SIGTERM')
  await once(top, 'exit')
}

function ctrlC(top: ChildProcess): void {
  process.kill(-(top.pid ?? 0), 'SIGINT')
}

for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  test(`${signal} to the whole group stops top and child in good order, by the parent's message`, async (t) => {
    const file = join(ownFolder(t), 'cause')
    const { top, childPid } = await startTop(t, 'obedient', file)
    process.kill(-(top.pid ?? 0), signal)
    const [code] = await once(top, 'exit')
    assert.equal(code, 0)
    assert.equal(readFileSync(file, 'utf8'), 'message')
    assert.equal(runs(childPid), false)
  })
}

test('SIGTERM to the top stops its child too', async (t) => {
  const file = join(ownFolder(t), 'cause')
  const { top, childPid } = await startTop(t, 'obedient', file)
  top.kill('SIGTERM')
  const [code] = await once(top, 'exit')
  assert.equal(code, 0)
  assert.equal(readFileSync(file, 'utf8'), 'message')
  assert.equal(runs(childPid), false)
})

test('SIGTERM to a child alone stops it gently', async (t) => {
  const file = join(ownFolder(t), 'cause')
  const { top, childPid } = await startTop(t, 'obedient', file)
  process.kill(childPid, 'SIGTERM')
  await until(() => existsSync(file) && readFileSync(file, 'utf8') === 'signal', {
    what: 'the child to stop',
  })
  await stopTop(top)
})

test('one Ctrl-C that arrives twice is one', async (t) => {
  const { top, said } = await startTop(t, 'stubborn')
  ctrlC(top)
  ctrlC(top)
  await until(() => said.length >= 2, { what: 'the first signal' })
  top.kill('SIGINT')
  await until(() => said.includes('gentle SIGINT'), { what: 'the gentle stop' })
  assert.equal(said.includes('hard SIGINT'), false)
  assert.equal(top.exitCode, null)
})

test('a second Ctrl-C kills a child that does not stop', async (t) => {
  const { top, said, childPid } = await startTop(t, 'spinning')
  ctrlC(top)
  await until(() => said.includes('gentle SIGINT'), { what: 'the first signal' })
  const exit = once(top, 'exit')
  await until(
    () => {
      if (said.includes('hard SIGINT')) return true
      if (top.exitCode === null) ctrlC(top)
      return false
    },
    { what: 'the second to count', everyMs: 100 },
  )
  assert.deepEqual(await exit, [1, null])
  assert.equal(runs(childPid), false)
})

test('a child whose parent is killed -9 stops by itself', async (t) => {
  const file = join(ownFolder(t), 'cause')
  const { top, childPid } = await startTop(t, 'obedient', file)
  top.kill('SIGKILL')
  await until(() => !runs(childPid), { what: 'the child to be gone' })
  assert.equal(readFileSync(file, 'utf8'), 'orphaned')
})

test('a child whose parent was gone before it began to listen stops too', async (t) => {
  const file = join(ownFolder(t), 'cause')
  const { top, childPid } = await startTop(t, 'late', file)
  top.kill('SIGKILL')
  await until(() => !runs(childPid), { what: 'the child to be gone' })
  assert.equal(readFileSync(file, 'utf8'), 'orphaned')
})
