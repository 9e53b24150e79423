import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import type { Answer, RunningService } from './support/service.ts'
import { sharedService } from './support/shared-service.ts'

/** A task sees what its endpoint saw: user, request, call id, token, trace, values; models arrive as models. */

/** Each test looks at the tasks of its own call. */
const people = sharedService({ fixture: 'people' })

interface Look {
  readonly task: { readonly id: string; readonly attempt: number }
  readonly seen: Seen
  readonly facts: Readonly<Record<string, unknown>>
}

interface Seen {
  readonly callId: string
  readonly user?: { readonly sub: string; readonly role?: string }
  readonly request: Readonly<Record<string, unknown>>
  readonly token: string
  readonly values: Readonly<Record<string, unknown>>
}

const person = {
  name: 'Ada',
  born: '1815-12-10T00:00:00.000Z',
  address: { city: 'London' },
  friends: [{ name: 'Charles', born: '1791-12-26T00:00:00.000Z' }],
}

test('a task and its child see the user, request, call id, token and values of the request, and models as models', async () => {
  const service = await people()
  const token = await tokenOf(service, 'ada', '1h')
  const reply = await service.post('/people/7?loud=true', person, {
    authorization: `Bearer ${token}`,
    'accept-language': 'nl-BE,nl;q=0.8',
    'x-call-id': 'call-from-outside',
    'x-tenant': 'acme',
    cookie: 'session=secret',
    'user-agent': 'the test',
  })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const [direct, child] = await looks(service, reply, 2)
  const own = [direct, child].find((look) => look?.task.id === reply.body.task)
  const other = [direct, child].find((look) => look?.task.id !== reply.body.task)
  assert.deepEqual(own?.seen, reply.body.seen, 'the same as in the endpoint')
  assert.equal(own?.seen.callId, 'call-from-outside')
  assert.equal(own?.seen.user?.sub, 'ada')
  assert.equal(own?.seen.user?.role, 'admin')
  assert.equal(own?.seen.token, token)
  const { request } = own?.seen ?? { request: {} }
  assert.equal(request.method, 'POST')
  assert.equal(request.path, '/people/{id}')
  assert.deepEqual(request.params, { id: 7 })
  assert.deepEqual(request.query, { loud: true, delay: 0 })
  assert.deepEqual(request.headers, { 'x-tenant': 'acme' })
  assert.equal(request.language, 'nl-BE')
  assert.equal(request.userAgent, 'the test')
  assert.deepEqual(request.body, person)
  assert.deepEqual(own?.seen.values, {
    plan: 'gold',
    since: new Date(0).toISOString(),
    tags: ['a'],
    home: 'Ghent',
  })
  assert.deepEqual(own?.facts, {
    isPerson: true,
    name: 'Ada',
    born: person.born,
    isAddress: true,
    isFriend: true,
    isMap: true,
    isPersonInMap: true,
    isOld: true,
    twin: 'Ada again again',
    age: 9,
  })
  assert.equal(other?.seen.user?.sub, 'ada')
  assert.equal(other?.seen.callId, 'call-from-outside')
  assert.equal(other?.seen.values.plan, 'platinum')
  // The log ties request and task together.
  for (const parts of [
    ['"role":"server"', 'POST /people/7'],
    ['Task look starts', '"userId":"ada"'],
  ]) {
    const all = ['"callId":"call-from-outside"', ...parts].map((part) => `(?=[^\n]*${part})`).join('')
    await service.says(new RegExp(`^${all}`, 'm'))
  }
})

test('nothing of the caller can be read in the store', async () => {
  const service = await people()
  const token = await tokenOf(service, 'ada-the-user', '1h')
  const reply = await service.post('/people/7', person, {
    authorization: `Bearer ${token}`,
    'x-tenant': 'tenant-in-clear',
  })
  await looks(service, reply, 2)
  const bytes = ['tasks.db', 'tasks.db-wal']
    .map((name) => join(service.folder, '.macaron', name))
    .filter(existsSync)
    .map((path) => readFileSync(path, 'latin1'))
    .join('')
  assert.ok(bytes.includes('London'), 'arguments are readable')
  for (const secret of [token, token.split('.')[2] ?? '', 'ada-the-user', 'tenant-in-clear', 'call-from']) {
    assert.ok(!bytes.includes(secret), `${secret} stands in the store`)
  }
  assert.ok(!service.output.includes(token), 'the token stands in the log')
})

test('a delayed task knows its user after the token has expired, and asking for the token then says so', async () => {
  const service = await people()
  // Tokens are taken for 300 s beyond their time, since clocks differ: this one for 2 s more.
  const token = signedToken(service, { sub: 'ada', exp: Math.floor(Date.now() / 1000) - 298 })
  const reply = await service.post('/people/7?delay=3000', person, { authorization: `Bearer ${token}` })
  assert.equal(reply.status, 200)
  const all = await looks(service, reply, 2)
  const delayed = all.find((look) => look.task.id === reply.body.task)
  assert.equal(delayed?.seen.user?.sub, 'ada')
  assert.equal(delayed?.seen.token, 'TOKEN_EXPIRED')
})

test('a task of an anonymous caller has a request and call id, and no user', async () => {
  const service = await people()
  const reply = await service.get('/anonymous')
  const [look] = await looks(service, reply, 1)
  assert.deepEqual(look?.seen, reply.body.seen)
  assert.equal(look?.seen.user, undefined)
  assert.equal(look?.seen.token, 'none')
  assert.equal(look?.seen.callId, reply.headers.get('x-call-id'))
})

async function tokenOf(service: RunningService, user: string, expires: string): Promise<string> {
  const made = await service.cli('token', user, '--expires', expires, '--data', '{"role":"admin"}')
  assert.equal(made.code, 0, made.stderr)
  return made.stdout.trim()
}

/** A token made with the service's own secret. */
function signedToken(service: RunningService, claims: object): string {
  const secret = readFileSync(join(service.folder, '.macaron', 'jwt.key'), 'utf8').trim()
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iat: 0, ...claims })}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** What the tasks of one call have written down. */
async function looks(service: RunningService, { headers }: Answer, count: number): Promise<readonly Look[]> {
  const file = join(service.folder, 'looks.ndjson')
  return await until(
    () => {
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
      const own = lines
        .map((line): Look => JSON.parse(line))
        .filter(({ seen }) => seen.callId === headers.get('x-call-id'))
      return own.length >= count ? own : undefined
    },
    { what: `${count} tasks to have written down their context` },
  )
}
