import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isSettled, legalMoves, type TaskState, taskStates } from '../../src/tasks/states.ts'

test('the table of moves says what the diagram draws', () => {
  const drawn: readonly (readonly [TaskState, string, TaskState])[] = [
    ['scheduled', 'due', 'queued'],
    ['queued', 'claim', 'running'],
    ['running', 'done', 'done'],
    ['running', 'failed', 'failed'],
    ['running', 'parked', 'parked'],
    ['running', 'retry', 'scheduled'],
    ['running', 'given back', 'queued'],
    ['scheduled', 'cancel', 'cancelled'],
    ['queued', 'cancel', 'cancelled'],
    ['failed', 'operator', 'queued'],
    ['parked', 'operator', 'queued'],
    ['cancelled', 'operator', 'queued'],
  ]
  const source = readFileSync(new URL('../../src/tasks/states.ts', import.meta.url), 'utf8')
  const diagram = source.slice(source.indexOf('```'), source.lastIndexOf('```'))
  for (const [from, word, to] of drawn) {
    assert.ok(
      [from, word, to].every((text) => diagram.includes(text)),
      `${from} ${word} ${to}`,
    )
  }
  const table = taskStates.flatMap((from) => legalMoves[from].map((to) => `${from} → ${to}`))
  assert.deepEqual(table.toSorted(), drawn.map(([from, , to]) => `${from} → ${to}`).toSorted())
})

test('every state can be reached, and only done is the end for good', () => {
  const reached = new Set<TaskState>(['scheduled', 'queued'])
  for (const state of reached) for (const next of legalMoves[state]) reached.add(next)
  assert.deepEqual([...reached].toSorted(), taskStates.toSorted())
  assert.deepEqual(
    taskStates.filter((state) => legalMoves[state].length === 0),
    ['done'],
  )
})

test('what is settled only moves when an operator retries it', () => {
  for (const state of taskStates) {
    const moves = legalMoves[state]
    assert.equal(
      isSettled(state),
      state === 'done' || (moves.length === 1 && moves[0] === 'queued' && state !== 'scheduled'),
    )
  }
})
