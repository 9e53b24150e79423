import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prettyLine } from '../../src/core/pretty.ts'

const base = { level: 30, time: '2026-11-25T10:11:12.345Z', role: 'server', msg: 'text' }
const pretty = (line: object) => prettyLine(JSON.stringify({ ...base, ...line }), false)

test('a line for people has time, level, role, text and the other fields', () => {
  assert.match(pretty({}), /^\[\d\d:\d\d:12\.345\] INFO: server: text\n$/)
  assert.match(pretty({ level: 50, callId: 'c', n: 1 }), / ERROR: server: text \{"callId":"c","n":1\}\n$/)
  assert.match(pretty({ level: 35 }), / 35: server: text\n$/)
})

test('an error is shown with its stack, its own fields and its causes, indented below the line', () => {
  const cause = { type: 'Error', message: 'why', stack: 'Error: why\n    at b' }
  const err = { type: 'TypeError', message: 'bad', stack: 'TypeError: bad\n    at a', code: 'X', cause }
  assert.equal(
    pretty({ level: 50, err }).split('\n').slice(1).join('\n'),
    '    TypeError: bad\n        at a\n    {"code":"X"}\n    Caused by: Error: why\n        at b\n',
  )
  assert.match(pretty({ err: { message: 'no stack' } }), /\n {4}Error: no stack\n$/)
  assert.match(pretty({ err: 'only text' }), /\n {4}only text\n$/)
  assert.match(pretty({ err: { stack: 'Error: x', cause: '[deeper]' } }), /\n {4}Caused by: \[deeper\]\n$/)
})

test('on a terminal level and text have colours', () => {
  const line = prettyLine(JSON.stringify({ ...base, level: 40 }), true)
  assert.ok(line.includes('\u001b[33mWARN\u001b[39m') && line.includes('\u001b[36mserver: text\u001b[39m'))
})
