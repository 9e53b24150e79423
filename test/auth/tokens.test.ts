import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, randomBytes, sign as signRaw } from 'node:crypto'
import { test } from 'node:test'
import { Tokens, type TokensOptions } from '../../src/auth/tokens.ts'

const secret = 'a secret of this test, long enough to be one'
const now = () => Math.floor(Date.now() / 1000)

function tokens(options: Partial<TokensOptions> = {}): Tokens {
  return new Tokens({ secret, issuer: 'https://shop.test', audience: 'shop', ...options })
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token made by hand, so that its header and claims can be anything. */
function forge(header: unknown, claims: unknown, key: string | Buffer = secret): string {
  const signed = `${base64url(header)}.${base64url(claims)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

const goodHeader = { alg: 'HS256', typ: 'JWT' }
const goodClaims = () => ({
  sub: 'u1',
  iss: 'https://shop.test',
  aud: 'shop',
  iat: now(),
  exp: now() + 60,
})

async function refused(subject: Tokens, token: string, code = 'TOKEN_INVALID'): Promise<void> {
  await assert.rejects(async () => subject.verify(token), { name: 'RequestError', code, status: 401 })
}

test('a signed token is verified and gives its claims', async () => {
  const subject = tokens()
  const before = now()
  const token = await subject.sign({ userId: 'u1', data: { role: 'admin', groups: ['a'] } })
  const { user } = await subject.verify(token)
  assert.equal(user.sub, 'u1')
  assert.equal(user.role, 'admin')
  assert.equal(user.iss, 'https://shop.test')
  assert.equal(user.aud, 'shop')
  assert.ok(Number(user.iat) >= before && Number(user.iat) <= now())
  assert.equal(Number(user.exp) - Number(user.iat), 86_400)
})

test('data of a token cannot replace its user, times, issuer and audience', async () => {
  const subject = tokens()
  const data = { sub: 'root', iss: 'evil', aud: 'evil', exp: 1, iat: 1 }
  const { user } = await subject.verify(await subject.sign({ userId: 'u1', data, expiresIn: 60 }))
  assert.equal(user.sub, 'u1')
  assert.equal(user.iss, 'https://shop.test')
  assert.equal(user.aud, 'shop')
  assert.equal(Number(user.exp) - Number(user.iat), 60)
})

test('a secret under 32 bytes is refused, also where its characters are 32', () => {
  assert.throws(() => tokens({ secret: 'x'.repeat(31) }), { code: 'JWT_SECRET_TOO_SHORT' })
  assert.doesNotThrow(() => tokens({ secret: 'é'.repeat(16) }))
})

test('options that make no token are refused', async () => {
  const subject = tokens()
  const bad = { code: 'BAD_TOKEN_OPTIONS' }
  await assert.rejects(subject.sign({ userId: '' }), bad)
  await assert.rejects(subject.sign({ userId: 'u1', expiresIn: Number.NaN }), bad)
  await assert.rejects(subject.sign({ userId: 'u1', iat: Number.POSITIVE_INFINITY }), bad)
  await assert.rejects(subject.sign({ userId: 'u1', data: { f: () => 1 } }), bad)
})

test('the token that travels ends with its leeway', async () => {
  const subject = tokens()
  const raw = await subject.sign({ userId: 'u1', iat: now(), expiresIn: 100 })
  const { token, user } = await subject.verify(raw)
  assert.equal(token.raw, raw)
  assert.equal(token.expiresAt, (Number(user.exp) + 300) * 1000)
})

test('clocks may differ by 300 s: within it a token is good, beyond it TOKEN_EXPIRED', async () => {
  const subject = tokens()
  await subject.verify(await subject.sign({ userId: 'u1', iat: now() - 400, expiresIn: 110 }))
  const late = await subject.sign({ userId: 'u1', iat: now() - 400, expiresIn: 90 })
  await refused(subject, late, 'TOKEN_EXPIRED')
})

test('a token from the future is good within the leeway and invalid beyond it', async () => {
  const subject = tokens()
  await subject.verify(await subject.sign({ userId: 'u1', iat: now() + 290 }))
  await refused(subject, await subject.sign({ userId: 'u1', iat: now() + 320 }))
  await refused(subject, forge(goodHeader, { ...goodClaims(), nbf: now() + 320 }))
})

test('another issuer, another audience and none of either are refused', async () => {
  const subject = tokens()
  await refused(subject, await subject.sign({ userId: 'u1', audience: 'other' }))
  await refused(subject, await subject.sign({ userId: 'u1', issuer: 'https://evil.test' }))
  const { aud: _aud, ...withoutAudience } = goodClaims()
  const { iss: _iss, ...withoutIssuer } = goodClaims()
  await refused(subject, forge(goodHeader, withoutAudience))
  await refused(subject, forge(goodHeader, withoutIssuer))
  await subject.verify(forge(goodHeader, { ...goodClaims(), aud: ['other', 'shop'] }))
})

test('without an audience of its own a service refuses tokens made for others', async () => {
  const subject = new Tokens({ secret })
  await refused(subject, forge(goodHeader, { sub: 'u1', aud: 'shop', exp: now() + 60 }))
  await subject.verify(forge(goodHeader, { sub: 'u1', exp: now() + 60 }))
})

test('alg none is refused in every spelling', async () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    const unsigned = `${base64url({ alg, typ: 'JWT' })}.${base64url(goodClaims())}.`
    await refused(tokens(), unsigned)
    await refused(tokens(), forge({ alg, typ: 'JWT' }, goodClaims()))
  }
})

test('other algorithms are refused, so a public key can never serve as a secret', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const signed = `${base64url({ alg: 'RS256', typ: 'JWT' })}.${base64url(goodClaims())}`
  const rsa = `${signed}.${signRaw('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
  await refused(tokens({ secret: pem }), rsa)
  for (const alg of ['HS384', 'HS512', 'ES256', 'dir', 42]) {
    await refused(tokens(), forge({ alg, typ: 'JWT' }, goodClaims()))
  }
})

test('hostile header fields do not choose the key', async () => {
  const own = randomBytes(32)
  const jwk = { kty: 'oct', k: own.toString('base64url') }
  for (const extra of [
    { jwk },
    { jku: 'http://127.0.0.1:1/keys' },
    { kid: '../../../dev/null' },
    { x5u: 'http://127.0.0.1:1' },
  ]) {
    await refused(tokens(), forge({ ...goodHeader, ...extra }, goodClaims(), own))
  }
  await refused(tokens(), forge({ ...goodHeader, crit: ['exp'], exp: 1 }, goodClaims()))
  await refused(tokens(), forge({ ...goodHeader, b64: false, crit: ['b64'] }, goodClaims()))
})

test('an altered token is refused, whichever of its characters was changed', async () => {
  const subject = tokens()
  const token = await subject.sign({ userId: 'u1', data: { role: 'user' } })
  const bytesOf = (text: string) =>
    text
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.')
  let checked = 0
  for (let at = 0; at < token.length; at += 3) {
    const altered = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
    // The last character of a part may have spare bits, so that another one spells the same bytes.
    if (bytesOf(altered) === bytesOf(token)) continue
    await refused(subject, altered)
    checked += 1
  }
  assert.ok(checked > 50)
})

test('claims of the wrong type are refused', async () => {
  for (const wrong of [
    { exp: 'tomorrow' },
    { exp: null },
    { iat: '1' },
    { nbf: {} },
    { sub: 42 },
    { sub: { a: 1 } },
    { aud: 7 },
  ]) {
    await refused(tokens(), forge(goodHeader, { ...goodClaims(), ...wrong }))
  }
  for (const claims of [null, [], 'text', 42]) await refused(tokens(), forge(goodHeader, claims))
})

test('rubbish is refused without being verified', async () => {
  const rubbish = [
    '',
    '.',
    '..',
    'a.b',
    'a.b.c.d',
    'a.b.c',
    '🙈.🙈.🙈',
    '\0.\0.\0',
    'e30.e30.e30',
    '{}',
    `${'A'.repeat(100_000)}.a.b`,
  ]
  for (const text of rubbish) await refused(tokens(), text)
})

test('no message of a refusal holds the token', async () => {
  const subject = tokens()
  const bad = await subject.sign({ userId: 'u1', audience: 'other' })
  const fail = async () => subject.verify(bad)
  await assert.rejects(fail, (error: Error) => {
    assert.ok(
      !JSON.stringify([error.message, error.stack, String(error.cause)]).includes(bad.split('.')[2] ?? ''),
    )
    return true
  })
})

test('a token seen before is answered at once and its claims cannot be changed', async () => {
  const subject = tokens()
  const raw = await subject.sign({ userId: 'u1', data: { groups: ['a'] } })
  const first = await subject.verify(raw)
  const second = subject.verify(raw)
  assert.equal(second, first)
  assert.throws(() => Object.assign(first.user, { sub: 'root' }), TypeError)
  const { groups } = first.user
  assert.ok(Array.isArray(groups))
  assert.throws(() => groups.push('b'), TypeError)
})

test('a remembered token is checked again after its time and after a minute', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  const subject = tokens({ leewaySeconds: 0 })
  const brief = await subject.sign({ userId: 'u1', expiresIn: 10 })
  const long = await subject.sign({ userId: 'u1', expiresIn: 1000 })
  const remembered = await subject.verify(long)
  await subject.verify(brief)
  context.mock.timers.tick(11_000)
  await refused(subject, brief, 'TOKEN_EXPIRED')
  assert.equal(subject.verify(long), remembered)
  context.mock.timers.tick(50_000)
  assert.notEqual(await subject.verify(long), remembered)
})

test('only so many tokens are remembered', async () => {
  const subject = tokens({ cacheSize: 2 })
  const all = await Promise.all(['a', 'b', 'c'].map((userId) => subject.sign({ userId })))
  for (const token of all) await subject.verify(token)
  const answers = all.map((token) => subject.verify(token))
  assert.deepEqual(
    answers.map((answer) => answer instanceof Promise),
    [true, false, false],
  )
  // The next test may set the clock.
  await Promise.all(answers)
})
