import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turnOfLoop } from 'node:timers/promises'
import { on } from '../../src/core/events.ts'
import { type Child, type ChildOptions, startChild } from '../../src/supervisor/child.ts'
import { identityOf, isStillRunning } from '../../src/supervisor/process-identity.ts'
import { type SuperviseOptions, superviseChild } from '../../src/supervisor/supervise.ts'
import { ownFolder } from '../support/folder.ts'
import { runs } from '../support/processes.ts'
import { until } from '../support/until.ts'

const entry = new URL('./fixtures/child.ts', import.meta.url).pathname

function start(test: TestContext, args: string[], options: Partial<ChildOptions> = {}): Child {
  const child = startChild({ name: 'child', entry, args, stopTimeoutMs: 300, ...options })
  test.after(() => child.kill())
  return child
}

function supervise(test: TestContext, args: string[], options: Partial<SuperviseOptions> = {}) {
  const kept = superviseChild({ name: 'child', start: () => start(test, args), ...options })
  test.after(() => kept.kill())
  return kept
}

function lives(file: string): number[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
}

test('a child says it is ready, stops when told, and tells nothing was forced', async (t) => {
  const file = join(ownFolder(t), 'cause')
  const child = start(t, ['obedient', file])
  assert.deepEqual(await child.ready, { type: 'ready', answer: 42 })
  await Promise.all([child.stop(), child.stop()])
  const end = await child.ended
  assert.deepEqual([end.code, end.signal, end.wasReady, end.asked], [0, null, true, true])
  assert.equal(readFileSync(file, 'utf8'), 'message')
})

test('a child that does not stop, or can not, is killed at the deadline', async (t) => {
  for (const behaviour of ['stubborn', 'spinning']) {
    const child = start(t, [behaviour])
    await child.ready
    const began = performance.now()
    await child.stop()
    assert.equal((await child.ended).signal, 'SIGKILL')
    assert.ok(performance.now() - began >= 290, behaviour)
  }
})

test('everything a child has said is read before it counts as ended, also when it is killed', async (t) => {
  const words: number[] = []
  const child: Child = start(t, ['talkative'], {
    onMessage(message) {
      if ('number' in message) words.push(Number(message.number))
    },
  })
  await child.ready
  child.send({ type: 'die' })
  // Its death is known to this process before a word of it has been read.
  const identity = identityOf(child.pid)
  while (isStillRunning(identity));
  assert.equal((await child.ended).signal, 'SIGKILL')
  assert.deepEqual(
    words,
    Array.from({ length: 50 }, (_, number) => number),
  )
})

test('a child that is not ready in time is killed and says so', async (t) => {
  const child = start(t, ['silent'], { readyTimeoutMs: 100 })
  await assert.rejects(child.ready, { code: 'CHILD_FAILED', message: /not ready in time/ })
})

test('a child that closes its channel and lives on is killed', async (t) => {
  const child = start(t, ['closing'])
  assert.equal((await child.ended).signal, 'SIGKILL')
})

test('nothing waits for a child that has ended, also where its death is known before the end of its channel', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const child = start(t, ['survived'], { stopTimeoutMs: 60_000 })
  await child.ready
  child.send({ type: 'die' })
  assert.equal((await child.ended).signal, 'SIGKILL')
  await turnOfLoop()
  assert.equal(timers(), before)
})

test('a program that does not exist is reported, not thrown', async (t) => {
  const child = startChild({ name: 'child', entry: join(ownFolder(t), 'absent.ts'), stopTimeoutMs: 100 })
  await assert.rejects(child.ready, { code: 'CHILD_FAILED', exitCode: 1 })
})

test('a killed child is replaced at once, and its end is told', async (t) => {
  const kept = supervise(t, ['obedient'])
  await kept.ready
  const pid = kept.current?.pid ?? 0
  const exits: unknown[] = []
  t.after(on('child.exit', (detail) => exits.push(detail)))
  process.kill(pid, 'SIGKILL')
  const next = await until(() => (kept.current?.pid === pid ? undefined : kept.current), {
    what: 'the next life',
  })
  await next.ready
  assert.deepEqual(exits, [
    { child: 'child', pid, code: null, signal: 'SIGKILL', restartInMs: 0, reason: undefined },
  ])
  await kept.stop()
  assert.equal(runs(next.pid), false)
})

test('a child that always dies after it was ready comes back with growing pauses', async (t) => {
  const file = join(ownFolder(t), 'lives')
  const pauses: (number | undefined)[] = []
  const kept = supervise(t, ['short-lived', file], {
    onExit: (_child, _end, restartInMs) => void pauses.push(restartInMs),
  })
  await until(() => pauses.length >= 7, { what: 'seven lives' })
  await kept.stop()
  assert.deepEqual(pauses.slice(0, 7), [0, 0, 0, 0, 100, 200, 400])
  const times = lives(file)
  assert.ok((times[6] ?? 0) - (times[5] ?? 0) >= 190)
})

test('pauses grow no longer than its holder lets them', async (t) => {
  const pauses: (number | undefined)[] = []
  const kept = supervise(t, ['short-lived', join(ownFolder(t), 'lives')], {
    longestPauseMs: (child) => (child.pid > 0 ? 150 : undefined),
    onExit: (_child, _end, restartInMs) => void pauses.push(restartInMs),
  })
  await until(() => pauses.length >= 7, { what: 'seven lives' })
  await kept.stop()
  assert.deepEqual(pauses.slice(0, 7), [0, 0, 0, 0, 100, 150, 150])
})

test('a child that dies five times before it was ever ready is given up, with its exit code', async (t) => {
  const file = join(ownFolder(t), 'lives')
  const pauses: (number | undefined)[] = []
  const kept = supervise(t, ['dying', file], {
    onExit: (_c, _e, restartInMs) => void pauses.push(restartInMs),
  })
  await assert.rejects(kept.ready, { code: 'CHILD_FAILED', exitCode: 1 })
  assert.equal(lives(file).length, 5)
  assert.deepEqual(pauses, [100, 200, 400, 800, undefined])
  assert.equal(kept.current, undefined)
})

test('a mistake in the service files is not tried again, and said in the words of the child', async (t) => {
  const file = join(ownFolder(t), 'lives')
  const kept = supervise(t, ['misconfigured', file])
  await assert.rejects(kept.ready, {
    code: 'CHILD_FAILED',
    exitCode: 78,
    message: /macaron\.yaml:3: unknown key/,
  })
  assert.equal(lives(file).length, 1)
})

test('who may not give up goes on trying', async (t) => {
  const file = join(ownFolder(t), 'lives')
  const kept = supervise(t, ['misconfigured', file], { mayGiveUp: () => false })
  await until(() => lives(file).length >= 3, { what: 'three lives' })
  await kept.stop()
})

test('a replaced life stays until its holder ends it, and stop includes it', async (t) => {
  const kept = supervise(t, ['obedient'])
  await kept.ready
  const first = kept.current?.pid ?? 0
  kept.replace()
  const second = kept.current
  await second?.ready
  assert.notEqual(second?.pid, first)
  assert.equal(runs(first), true)
  await kept.stop()
  assert.equal(runs(first), false)
  assert.equal(runs(second?.pid ?? 0), false)
})

test('stopping during a pause ends it, and nothing starts again', async (t) => {
  const file = join(ownFolder(t), 'lives')
  const pauses: unknown[] = []
  const kept = supervise(t, ['dying', file], {
    onExit: (_c, _e, restartInMs) => void pauses.push(restartInMs),
  })
  await until(() => pauses.length === 2, { what: 'the second death' })
  await kept.stop()
  await assert.rejects(kept.ready, { code: 'CHILD_STOPPED' })
  assert.equal(kept.current, undefined)
  assert.equal(lives(file).length, 2)
})
