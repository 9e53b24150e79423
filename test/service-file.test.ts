import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SetupError } from '../src/core/errors.ts'
import { on } from '../src/core/events.ts'
import { loadServiceFile, startHook, stopHook } from '../src/service-file.ts'
import { serviceWith } from './support/config.ts'

/** A service.ts is found, held against its shape, and its hooks can end a start but not hold up a stop. */

const loaded = (t: TestContext, text: string, name = 'service.ts') =>
  loadServiceFile(serviceWith(t, { [name]: text }))

async function fault(loading: Promise<unknown>): Promise<SetupError> {
  const error = await loading.then(
    () => assert.fail('was accepted'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SetupError)
  return error
}

test('a service without service.ts says nothing of itself', async (t) => {
  assert.deepEqual(await loadServiceFile(serviceWith(t, {})), { file: undefined, definition: {} })
})

for (const name of ['service.ts', 'service.mts', 'service.js', 'service.mjs']) {
  test(`${name} is loaded`, async (t) => {
    const { file, definition } = await loaded(t, 'export const service = { onPing() { return 7 } }', name)
    assert.ok(file?.endsWith(`/${name}`))
    assert.equal(definition.onPing?.(), 7)
  })
}

test('a service may be an instance of a class: its parts know it', async (t) => {
  const { definition } = await loaded(
    t,
    `class Shop { #pings = 0; onPing() { return ++this.#pings } }
    export const service = new Shop()`,
  )
  const { onPing } = definition
  assert.deepEqual([onPing?.(), onPing?.(), definition.onStart], [1, 2, undefined])
})

const shapes: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['exports nothing', 'export {}', [/must export `service`, and exports nothing\. Write: export const/]],
  ['has a default export', 'export default {}', [/and exports default/]],
  ['exports no object', 'export const service = () => ({})', [/must export `service`/]],
  [
    'has two misspelt keys and one that is no function',
    'export const service = { onStrat() {}, errorreporter() {}, onPing: true }',
    [
      /A service has no "onStrat"\. Did you mean "onStart"\?/,
      /A service has no "errorreporter"\. Did you mean "errorReporter"\?/,
      /"onPing" must be a function, not of type boolean/,
    ],
  ],
  [
    'throws',
    'throw new Error("no database")',
    [/service\.ts:1(:\d+)?: .*can't be imported: Error: no database/],
  ],
  ['is no code', 'export const service = {', [/can't be imported/]],
]

for (const [what, text, says] of shapes) {
  test(`a service.ts that ${what} is refused with its file`, async (t) => {
    const { code, message } = await fault(loaded(t, text))
    assert.equal(code, 'SERVICE_INVALID')
    for (const part of says) assert.match(message, part)
    assert.match(message, /\/service\.ts:/)
  })
}

test('hooks are told the role; what onStart throws ends the start with code, file and its own lines', async () => {
  const roles: unknown[] = []
  const file = '/shop/service.ts'
  const seen = { file, definition: { onStart: (process: unknown) => roles.push(process) } }
  await startHook(seen, 'executor')
  assert.deepEqual(roles, [{ role: 'executor' }])
  const failing = { file, definition: { onStart: () => Promise.reject(new TypeError('no database')) } }
  const { code, message } = await fault(startHook(failing, 'server'))
  assert.equal(code, 'SERVICE_START_FAILED')
  assert.match(message, /^\/shop\/service\.ts: onStart has thrown \(role server\): TypeError: no database\n/)
  assert.match(message, /service-file\.test\.ts/)
})

test('an onStop that throws or never ends is told and holds nothing up', async (t) => {
  const notices: string[] = []
  t.after(on('notice', ({ message }) => notices.push(message)))
  const throwing = () => {
    throw new Error('no database')
  }
  await stopHook({ file: undefined, definition: { onStop: throwing } }, 'server', 1000)
  await stopHook(
    { file: undefined, definition: { onStop: () => new Promise(() => undefined) } },
    'script',
    20,
  )
  await stopHook({ file: undefined, definition: {} }, 'server', 0)
  assert.deepEqual(notices, [
    'onStop has thrown (role server): no database',
    'onStop has not ended within 20 ms (role script)',
  ])
})
