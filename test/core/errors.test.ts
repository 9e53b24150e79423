import assert from 'node:assert/strict'
import { test } from 'node:test'
import vm from 'node:vm'
import {
  asError,
  codeOf,
  describeFailure,
  MacaronError,
  MessageError,
  RequestError,
  SetupError,
  StoreError,
} from '../../src/core/errors.ts'
import { nastyValues } from './support.ts'

test('errors carry name, code, status and cause', () => {
  const cause = new Error('root')
  const store = new StoreError('STORE_FULL', 'full', { cause })
  assert.deepEqual(
    [store.name, store.code, store.status, store.cause],
    ['StoreError', 'STORE_FULL', 503, cause],
  )
  const request = new RequestError('NOT_FOUND', 'nothing here', { status: 404 })
  assert.deepEqual([request.name, request.status], ['RequestError', 404])
  const message = new MessageError('unknown_key', 'x')
  assert.deepEqual([message.code, message.reason, message.status], ['UNKNOWN_KEY', 'unknown_key', 500])
  assert.ok([store, request, message].every((error) => error instanceof MacaronError))
})

test('faults of files read like a compiler prints them, one a line', () => {
  const error = new SetupError('CONFIG_INVALID', [
    { message: 'nowhere' },
    { message: 'in a file', file: '/a.yaml' },
    { message: 'in a line', file: '/a.yaml', line: 3 },
    { message: 'at a place', file: '/a.yaml', line: 3, column: 7 },
  ])
  assert.equal(error.message, 'nowhere\n/a.yaml: in a file\n/a.yaml:3: in a line\n/a.yaml:3:7: at a place')
})

test('any thrown value becomes an error with a short message, whatever it resists', () => {
  for (const thrown of nastyValues()) {
    const error = asError(thrown)
    assert.ok(Error.isError(error))
    if (error instanceof MacaronError) assert.ok(error.message.length < 300 && error.code === 'NOT_AN_ERROR')
    assert.equal(codeOf(thrown), undefined)
  }
})

test('errors of other realms and of the old kind stay what they are', () => {
  const far: unknown = vm.runInNewContext('Object.assign(new TypeError("far"), { code: "E_FAR" })')
  assert.equal(asError(far), far)
  assert.equal(codeOf(far), 'E_FAR')
  const old: unknown = Object.create(Error.prototype)
  assert.equal(asError(old), old)
})

test('only texts are codes', () => {
  assert.equal(codeOf(new DOMException('x', 'AbortError')), undefined)
  assert.equal(codeOf({ code: 'ENOENT' }), 'ENOENT')
  assert.equal(codeOf('ENOENT'), undefined)
})

test('a failure is described with its code, and with a stack only where it is not ours', () => {
  assert.equal(
    describeFailure(new MacaronError('PORT_IN_USE', 'The port is taken')),
    'The port is taken\n[PORT_IN_USE]',
  )
  assert.match(
    describeFailure(Object.assign(new Error('x'), { code: 'E_X' })),
    /errors\.test\.ts[\s\S]*\n\[E_X\]$/,
  )
  assert.match(describeFailure(7), /no Error was thrown: 7/)
})
