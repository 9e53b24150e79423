import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { clientNamed } from '../../src/clients/table.ts'
import { openService } from '../../src/open-service.ts'
import { type Login, serverOf } from '../clients/setup.ts'
import { until } from '../support/until.ts'
import { startService } from './support/service.ts'

const login = `
openapi: 3.0.3
info: { title: Login, version: '1' }
paths:
  /users/{id}:
    get:
      operationId: getUser
      security: [{ jwt: [] }]
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/User' } } } } }
components:
  securitySchemes: { jwt: { type: http, scheme: bearer } }
  schemas:
    User:
      type: object
      x-parent: classes.of.the.other.service
      required: [name, born]
      properties: { name: { type: string }, born: { type: string, format: date-time } }
`

const endpoints = `
import { client } from 'macaron'
import { ask } from '../tasks/ask.ts'

const login = client('login')

export async function change() {
  const user = await login.getUser({ id: 'endpoint' })
  return { seen: { name: user.name }, task: ask.fire(user).id }
}

export const anonymous = change
`

const ask = `
import { appendFileSync } from 'node:fs'
import { asyncTask, client } from 'macaron'
import { User } from '../clients/login.gen.ts'

export const ask = asyncTask(async function ask(user: User) {
  const again = await client('login').getUser({ id: 'task' })
  const facts = [user, again].map((one) => [one instanceof User, one.born instanceof Date, one.name])
  appendFileSync('asked.json', JSON.stringify(facts))
})
`

test('an endpoint, its task in an executor, and a script call another service for the same user, with models that travel', async (t) => {
  const other = await serverOf(t, (request, response) => {
    const name = request.url?.split('/').at(-1)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ name, born: '1815-12-10T00:00:00Z' }))
  })
  const service = await startService(t, {
    fixture: 'people',
    files: {
      'clients/login.yaml': login,
      'people/endpoints.ts': endpoints,
      'tasks/look.ts': undefined,
      'tasks/ask.ts': ask.replace("'asked.json'", "new URL('../asked.json', import.meta.url)"),
    },
    env: { MACARON_CLIENT_LOGIN_URL: other.url },
  })
  const { stdout } = await service.cli('token', 'ada')
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = {
    authorization: `Bearer ${stdout.trim()}`,
    'x-call-id': 'call-1',
    traceparent: trace,
    tracestate: 'a=1',
  }
  const reply = await service.post('/people/7', { name: 'Ada', born: '1815-12-10T00:00:00Z' }, headers)
  assert.deepEqual(reply.body.seen, { name: 'endpoint' }, JSON.stringify(reply.body))
  const file = join(service.folder, 'asked.json')
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith(']]'), {
    what: 'the task to have asked',
  })
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), [
    [true, true, 'endpoint'],
    [true, true, 'task'],
  ])
  assert.deepEqual(
    other.requests.map(({ line }) => line),
    ['GET /users/endpoint', 'GET /users/task'],
  )
  for (const request of other.requests) {
    assert.equal(request.headers.authorization, headers.authorization)
    assert.equal(request.headers['x-call-id'], 'call-1')
    assert.equal(request.headers.traceparent, trace)
    assert.equal(request.headers.tracestate, 'a=1')
  }
  assert.ok(!service.output.includes(stdout.trim()), 'no log line holds the token')

  process.env.MACARON_CLIENT_LOGIN_URL = other.url
  t.after(() => delete process.env.MACARON_CLIENT_LOGIN_URL)
  await using script = await openService({ folder: service.folder })
  // The spec above declares this operation.
  const user = await script.run(() => (clientNamed('login') as Login).getUser({ id: 'script' }))
  assert.equal(user.name, 'script')
  assert.equal(other.requests.at(-1)?.headers.authorization, undefined)
  assert.match(String(other.requests.at(-1)?.headers['user-agent']), /^people-1\.0\.0$/)
})
