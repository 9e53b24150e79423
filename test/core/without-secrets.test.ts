import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withoutSecrets } from '../../src/core/without-secrets.ts'
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

test('of what an error carries no more is shown than anyone reads, and all that the line itself says', () => {
  const wide = Object.fromEntries(Array.from({ length: 300 }, (_, row) => [`row${row}`, { row }]))
  const error = Object.assign(new Error('wide', { cause: new Error('root') }), {
    body: Buffer.alloc(20_000_000),
    view: new DataView(new ArrayBuffer(5)),
    raw: new ArrayBuffer(7),
    numbers: Array(1_000_000).fill(7),
    text: 'word '.repeat(4_000_000),
    holes: new Array(4_000_000_000),
    set: new Set(['a', 'b']),
    map: new Map<unknown, unknown>([
      ['password', 'hunter2'],
      [{}, 1],
    ]),
    wide,
    rest: Array(100).fill(Array(100).fill('cell')),
    ['n'.repeat(100_000)]: 'hunter2',
  })
  const shown = withoutSecrets({ err: error, callId: 'c-1', userId: 'anna' })
  const text = JSON.stringify(shown)
  assert.ok(text.length < 500_000, `${text.length} characters`)
  assert.ok(!text.includes('hunter2'))
  assert.partialDeepStrictEqual(shown, {
    callId: 'c-1',
    userId: 'anna',
    err: {
      message: 'wide',
      cause: { message: 'root' },
      body: '[20000000 bytes]',
      view: '[5 bytes]',
      raw: '[7 bytes]',
      set: ['a', 'b'],
      map: { password: '[hidden]', '[object]': 1 },
      wide: { row0: { row: 0 }, '[more]': 100 },
    },
  })
  assert.ok(text.includes('[more] 999800') && text.includes('[more] 3999999800'))
  assert.match(text, /word \[19983\d{3} more characters\]/)
})
