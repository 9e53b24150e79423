import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientCall } from '../../src/clients/client.ts'
import { contextOf, withContext } from '../../src/core/context.ts'
import { readApi } from '../../src/spec/read-api.ts'
import { json, loginAt, serverOf } from './setup.ts'

/** Which operations of another service get the token of the caller, by what their specs say. */

const head3 = "openapi: 3.0.3\ninfo: { title: T, version: '1' }\n"
const head2 = "swagger: '2.0'\ninfo: { title: T, version: '1' }\n"

/** A spec of one operation, `call`. */
function spec(head: string, schemes: string, operation: string): string {
  const at =
    head === head2 ? `securityDefinitions: ${schemes}` : `components: { securitySchemes: ${schemes} }`
  return `${head}${at}\npaths: { /a: { get: { operationId: call, ${operation}, responses: { 200: { description: ok } } } } }\n`
}

const all3 = `{
  jwt: { type: http, scheme: Bearer, bearerFormat: JWT }, same: { $ref: '#/components/securitySchemes/jwt' },
  basic: { type: http, scheme: basic }, digest: { type: http, scheme: digest }, key: { type: apiKey, in: header, name: X-Api-Key },
  authorization: { type: apiKey, in: header, name: Authorization }, query: { type: apiKey, in: query, name: key },
  cookie: { type: apiKey, in: cookie, name: token }, oauth: { type: oauth2, flows: {} }, openid: { type: openIdConnect, openIdConnectUrl: 'https://x' },
  mutual: { type: mutualTLS }, toString: { type: http, scheme: basic } }`
const all2 = `{ jwt: { type: apiKey, in: header, name: authorization }, key: { type: apiKey, in: header, name: X-Api-Key },
  query: { type: apiKey, in: query, name: Authorization }, basic: { type: basic }, oauth: { type: oauth2 } }`

const cases: readonly (readonly [what: string, spec: string, goes: boolean])[] = [
  ...['jwt', 'same'].map((name) => [name, spec(head3, all3, `security: [{ ${name}: [] }]`), true] as const),
  ...[
    'basic',
    'digest',
    'key',
    'authorization',
    'query',
    'cookie',
    'oauth',
    'openid',
    'mutual',
    'toString',
    'nowhere',
  ].map((name) => [name, spec(head3, all3, `security: [{ ${name}: [] }]`), false] as const),
  ['a key, or a token', spec(head3, all3, 'security: [{ key: [] }, { jwt: [] }]'), true],
  ['a key and a token', spec(head3, all3, 'security: [{ key: [], jwt: [] }]'), true],
  ['a token, if you like', spec(head3, all3, 'security: [{ jwt: [] }, {}]'), false],
  ['requires_auth', spec(head3, all3, 'x-decorate-server: pymacaron.auth.requires_auth'), true],
  [
    'requires_auth with a key',
    spec(head3, all3, 'x-decorate-server: pymacaron.auth.requires_auth, security: [{ key: [] }]'),
    true,
  ],
  ['the whole file', `${spec(head3, all3, 'summary: a')}security: [{ jwt: [] }]`, true],
  ['the whole file, with a key', `${spec(head3, all3, 'summary: a')}security: [{ key: [] }]`, false],
  ['jwt of 2.0', spec(head2, all2, 'security: [{ jwt: [] }]'), true],
  ...['key', 'query', 'basic', 'oauth'].map(
    (name) => [`${name} of 2.0`, spec(head2, all2, `security: [{ ${name}: [] }]`), false] as const,
  ),
]

test("the caller's token goes to operations that take a JWT, and to no others", async (t) => {
  const other = await serverOf(t, json({}))
  const context = { ...contextOf('c'), token: { raw: 'tok', expiresAt: Date.now() + 60_000 } }
  for (const [what, text, goes] of cases) {
    const api = readApi('/test/clients/login.yaml', text, { basePath: 'apply' })
    // Each of the specs has this operation.
    const { call } = loginAt(other.url, { loadApi: async () => api }) as unknown as {
      call: ClientCall<[], unknown>
    }
    await withContext(context, () => call())
    const sent = JSON.stringify(other.requests.at(-1)?.headers)
    assert.equal(sent.includes('tok'), goes, `${what}: ${sent}`)
  }
  assert.equal(other.requests.length, cases.length)
})

test('a server asks for a token whatever the scheme is called, so that none is open by mistake', () => {
  for (const [what, text] of cases) {
    const [operation] = readApi('/test/apis/a.yaml', text, { basePath: 'apply' }).operations
    assert.equal(operation?.authenticated, what !== 'a token, if you like', what)
  }
})
