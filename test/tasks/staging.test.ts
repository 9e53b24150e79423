import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { openScope } from '../../src/core/context.ts'
import { type Events, on } from '../../src/core/events.ts'
import { dropScope, stage, takeStaged, unstage } from '../../src/tasks/staging.ts'
import { stagedMessage } from './support.ts'

function scopeWith(...letters: readonly number[]) {
  const scope = openScope()
  for (const count of letters) stage(scope, large(count))
  return scope
}

const large = (letters: number) => ({ ...stagedMessage(''), args: 'x'.repeat(letters) })

function heardDrops(t: TestContext): Events['scope.dropped'][] {
  const details: Events['scope.dropped'][] = []
  t.after(on('scope.dropped', (detail) => details.push(detail)))
  return details
}

suite('a scope', () => {
  test('ends once: what was dropped is never released, what was released never dropped', (t) => {
    const drops = heardDrops(t)
    const first = scopeWith(1, 1)
    dropScope(first, 'call-1')
    assert.deepEqual(
      [first.state, first.staged, takeStaged(first), first.state],
      ['dropped', [], [], 'dropped'],
    )
    const second = scopeWith(1, 1)
    const messages = [...second.staged]
    assert.deepEqual(takeStaged(second), messages)
    dropScope(second)
    assert.deepEqual([second.state, takeStaged(second)], ['released', []])
    assert.deepEqual(drops, [{ callId: 'call-1', userId: undefined, tasks: ['mail', 'mail'] }])
  })

  test('that has fired nothing is dropped without a word', (t) => {
    const drops = heardDrops(t)
    dropScope(openScope(), 'call-1')
    assert.deepEqual(drops, [])
  })

  test('takes no more than 64 MiB, and says what to do; what was staged before is released', () => {
    const scope = scopeWith(60_000_000)
    const over = {
      code: 'SCOPE_FULL',
      message: /^Task mail can't be fired: what was fired here before it holds 64 MiB.*fire the rest/,
    }
    assert.throws(() => stage(scope, large(8_000_000)), over)
    stage(scope, large(7_000_000))
    assert.throws(() => stage(scope, large(200_000)), over)
    assert.equal(takeStaged(scope).length, 2)
  })

  test('has room again for what was taken back, and takes a single message of any size', () => {
    const scope = scopeWith(40_000_000)
    const second = large(25_000_000)
    stage(scope, second)
    assert.throws(() => stage(scope, large(5_000_000)), { code: 'SCOPE_FULL' })
    assert.deepEqual([unstage(scope, second.id), unstage(scope, second.id)], [true, false])
    stage(scope, large(25_000_000))
    assert.equal(scopeWith(70_000_000).staged.length, 1)
  })
})
