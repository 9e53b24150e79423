import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CredentialHeaders, presentedToken } from '../../src/auth/credentials.ts'

const readable: readonly (readonly [string, CredentialHeaders])[] = [
  ['a Bearer header', { authorization: 'Bearer abc.def.ghi' }],
  ['a header in any case, with spare spaces', { authorization: '  bEaReR   abc.def.ghi ' }],
  ['a cookie that holds "Bearer <token>" URL-encoded', { cookie: 'a=1; token=Bearer%20abc.def.ghi; b=2' }],
  ['a cookie with a plus for the space', { cookie: 'token=Bearer+abc.def.ghi' }],
  ['a cookie that holds the token alone', { cookie: 'token=abc.def.ghi' }],
  ['a quoted cookie', { cookie: 'token="abc.def.ghi"' }],
  ['a cookie beside an empty header', { authorization: '', cookie: 'token=abc.def.ghi' }],
]

for (const [what, headers] of readable) {
  test(`a token is read from ${what}`, () => {
    assert.equal(presentedToken(headers), 'abc.def.ghi')
  })
}

test('the header goes before the cookie', () => {
  assert.equal(presentedToken({ authorization: 'Bearer one', cookie: 'token=two' }), 'one')
})

const missing: readonly (readonly [string, CredentialHeaders])[] = [
  ['no header at all', {}],
  ['other cookies only', { cookie: 'mytoken=abc; tokens=abc; Token=abc; x=token=abc' }],
  ['an empty cookie', { cookie: 'token=' }],
]

for (const [what, headers] of missing) {
  test(`${what} is AUTHORIZATION_HEADER_MISSING`, () => {
    assert.throws(() => presentedToken(headers), { code: 'AUTHORIZATION_HEADER_MISSING', status: 401 })
  })
}

const unreadable: readonly (readonly [string, CredentialHeaders])[] = [
  ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ['a token without scheme', { authorization: 'abc.def.ghi' }],
  ['a scheme without token', { authorization: 'Bearer' }],
  ['more than two parts', { authorization: 'Bearer abc def' }],
  ['a cookie with broken percent-encoding', { cookie: 'token=%E0%A4%A' }],
  ['a cookie with another scheme', { cookie: 'token=Basic%20abc' }],
]

for (const [what, headers] of unreadable) {
  test(`${what} is TOKEN_INVALID`, () => {
    assert.throws(() => presentedToken(headers), { code: 'TOKEN_INVALID', status: 401 })
  })
}

test('a bad header is not rescued by a good cookie', () => {
  const headers = { authorization: 'Basic abc', cookie: 'token=abc.def.ghi' }
  assert.throws(() => presentedToken(headers), { code: 'TOKEN_INVALID' })
})
