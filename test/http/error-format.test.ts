import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestError } from '../../src/core/errors.ts'
import type { ErrorFormat } from '../../src/http/error-format.ts'
import { reply } from '../../src/http/reply.ts'
import { collect, get, serve, type TestOperations } from './service.ts'

const failing: TestOperations = {
  'get /a': {
    handler: () => {
      throw new RequestError('NO_MONEY', 'The account is empty', { status: 402 })
    },
  },
}

test('errorFormat gives every error its form, also those without an operation, and status and code stay', async (t) => {
  const errors: Error[] = []
  const errorFormat: ErrorFormat = ({ error, error_description, error_id }, thrown) => {
    errors.push(thrown)
    return { problem: error, text: error_description, ref: error_id.length }
  }
  const ends = collect(t, 'request.end')
  const server = await serve(t, failing, { errorFormat })
  const { status, json, headers } = await get(server, '/a')
  assert.deepEqual([status, json], [402, { problem: 'NO_MONEY', text: 'The account is empty', ref: 36 }])
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
  assert.equal((await get(server, '/nowhere')).json.problem, 'NOT_FOUND')
  assert.equal((await get(server, '/a', { method: 'PUT' })).headers.get('allow'), 'GET')
  assert.equal(errors.length, 3)
  assert.deepEqual(
    ends.map(({ error }) => error),
    ['NO_MONEY', 'NOT_FOUND', 'METHOD_NOT_ALLOWED'],
  )
})

test('errorFormat may give a reply with status, headers and a type of its own', async (t) => {
  const errorFormat: ErrorFormat = ({ error }) =>
    reply(418, `<p>${error}</p>`, { 'content-type': 'text/html', 'x-own': '1' })
  const { status, text, headers } = await get(await serve(t, failing, { errorFormat }), '/a')
  assert.deepEqual([status, text, headers.get('x-own')], [418, '<p>NO_MONEY</p>', '1'])
  assert.match(headers.get('content-type') ?? '', /^text\/html/)
})

const circle: Record<string, unknown> = {}
circle.self = circle
const unfit: readonly (readonly [string, ErrorFormat])[] = [
  [
    'throws',
    () => {
      throw new Error('the format is broken')
    },
  ],
  ['waits', async () => ({})],
  ['gives nothing', () => undefined],
  ['gives a circle', () => circle],
  ['gives a success', () => reply(200, {})],
]

for (const [what, errorFormat] of unfit) {
  test(`where errorFormat ${what}, the caller gets the usual error and the log says why`, async (t) => {
    const notices = collect(t, 'notice')
    const { status, json } = await get(await serve(t, failing, { errorFormat }), '/a')
    assert.deepEqual([status, json.error], [402, 'NO_MONEY'])
    assert.match(notices[0]?.message ?? '', /^errorFormat can't be used/)
  })
}
