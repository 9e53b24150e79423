import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withoutSecrets, withoutTokens } from '../../src/core/secrets.ts'
import { nastyValues } from './support.ts'

const secret = 'hunter2-hunter2'
const names = [
  ...['token', 'accessToken', 'refresh_token', 'Authorization', 'cookie', 'Set-Cookie', 'password', 'passwd'],
  ...[
    'jwt_secret',
    'clientSecret',
    'x-api-key',
    'apiKey',
    'private_key',
    'seal_keys',
    'jwt',
    'headers',
    'credentials',
    'passwordRepeat',
    'token2',
    'session_id',
    'cardCvv',
    'pin',
    'authorisation',
    'tokens',
    'refreshTokens',
    'token_value',
    'tokenHash',
    'api_token_hash',
  ],
]

test('what stands under a telling name is hidden at any depth, in lists, errors and what has a toJSON', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6, depthIdentifier: 'tree' },
      fc.constantFrom(...names).map((name) => ({ [name]: secret })),
      fc.constantFrom(...names).map((name) => ({ [name]: [{ a: secret }] })),
      fc.record({ plain: tie('tree'), other: fc.integer() }),
      fc.array(tie('tree'), { maxLength: 3 }),
      tie('tree').map((part) => Object.assign(new Error('x'), { response: part })),
      tie('tree').map((part) => new Error('x', { cause: Object.assign(new Error('y'), { part }) })),
      tie('tree').map((part) => ({ toJSON: () => part })),
    ),
  }))
  fc.assert(
    fc.property(tree, (fields) => {
      assert.ok(!JSON.stringify(withoutSecrets({ fields })).includes(secret))
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('other fields stay as they are', () => {
  const fields = {
    callId: 'c',
    count: 3,
    at: new Date(0),
    list: [{ a: null }],
    tokenCount: 5,
    hasToken: true,
    u: undefined,
  }
  const expected = {
    callId: 'c',
    count: 3,
    at: '1970-01-01T00:00:00.000Z',
    list: [{ a: null }],
    tokenCount: 5,
    hasToken: true,
  }
  assert.deepEqual(JSON.parse(JSON.stringify(withoutSecrets(fields))), expected)
})

test('errors keep type, message, stack and cause', () => {
  const shown = withoutSecrets({ err: new TypeError('bad', { cause: new RangeError('root') }) })
  assert.partialDeepStrictEqual(shown, {
    err: { type: 'TypeError', message: 'bad', cause: { type: 'RangeError', message: 'root' } },
  })
})

test('fields that resist, cycles and great depth never throw', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = { list: [cycle] }
  for (const value of [...nastyValues(), cycle]) assert.doesNotThrow(() => withoutSecrets({ value }))
})

test('tokens in texts are hidden wherever they stand', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl_-'
  const texts = [
    `Invalid token ${jwt}!`,
    `Authorization: Bearer ${secret}`,
    `GET /x?a=1&access_token=${secret}&b=2`,
    `/reset?password=${secret}`,
    `{"url":"/x?api_key=${secret}","n":1}`,
  ]
  for (const text of texts) {
    const shown = withoutTokens(text)
    assert.ok(
      !shown.includes('hunter2') && !shown.includes('c2lnbmF0dXJl') && shown.includes('[hidden]'),
      shown,
    )
  }
  assert.equal(withoutTokens('GET /x?a=1&access_token=abc&b=2'), 'GET /x?a=1&access_token=[hidden]&b=2')
  for (const plain of ['token expired', 'the bearer of news', '/x?page=2&key=3', 'eyJ is no JWT']) {
    assert.equal(withoutTokens(plain), plain)
  }
})

test('a JSON line stays a JSON line when its tokens are hidden', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (fields) => {
      const line = JSON.stringify({
        ...fields,
        q: `?token=${JSON.stringify(fields)}`,
        b: 'Bearer abcdefghijk"',
      })
      assert.doesNotThrow(() => JSON.parse(withoutTokens(line)))
    }),
    { seed: 2, numRuns: 2000 },
  )
})

test('a megabyte made to keep the search busy takes no time to speak of', () => {
  const megabyte = (unit: string) => unit.repeat(1_000_000 / unit.length)
  const started = performance.now()
  for (const unit of ['eyJ-', 'eyJeyJeyJa.', 'bearer ', 'bearer', '?token', '&a=', '?a-', '.'])
    withoutTokens(megabyte(unit))
  assert.ok(performance.now() - started < 2000)
})
