import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ReportData } from '../../src/core/report.ts'
import { until } from '../support/until.ts'
import { copyOf } from './support/folders.ts'
import { type RunningService, startService } from './support/service.ts'

/**
 * A PyMacaron service, its spec and configuration unchanged and its handlers ported. Once with a spec of ours that has all of PyMacaron's extensions, once with
 * the files of PyMacaron's own example, its ping and its crash API, where they are at hand.
 */

const originals = join(import.meta.dirname, '../../../shared/specs/pymacaron')
const secret = 'a secret of this test, long enough to be one'
const env = { PYM_JWT_SECRET: secret, PYM_ENV: 'test', NO_ERROR_REPORTING: '' }

test('a port of a PyMacaron service answers, refuses, crashes and runs tasks as documented', async (t) => {
  const service = await startService(t, { fixture: 'helloworld', env })
  await behaves(service, { issuer: 'hello.example.com', audience: 'hello' })
  process.kill(service.pid, 'SIGTERM')
  assert.equal(await service.exit, 0)
  assert.deepEqual(rolesOf(service), ['executor start', 'executor stop', 'server start', 'server stop'])
})

test("PyMacaron's own files start unchanged", async (t) => {
  if (!existsSync(originals)) return t.skip(`there are no files of PyMacaron at ${originals}`)
  const service = await startService(t, { folder: withOriginals(t), env })
  await behaves(service, { issuer: 'api.helloworld.com', audience: 'helloworldaudienceisgreat' })
  await crashes(service)
})

function withOriginals(t: TestContext): string {
  const folder = copyOf(t, 'helloworld', { files: { 'apis/helloworld.gen.ts': undefined } })
  for (const api of ['helloworld.yaml', 'ping.yaml', 'crash.yaml'])
    cpSync(join(originals, api), join(folder, 'apis', api))
  cpSync(join(originals, 'pym-config.yaml'), join(folder, 'pym-config.yaml'))
  return folder
}

interface Claims {
  readonly issuer: string
  readonly audience: string
}

async function behaves(service: RunningService, claims: Claims): Promise<void> {
  await greets(service, claims)
  await tellsOfItself(service, claims)
  await tellsOfCrashes(service)
  await runsTasks(service, claims)
}

async function greets(service: RunningService, { issuer, audience }: Claims): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const good = { sub: 'ada', iss: issuer, aud: audience, iat: now, exp: now + 60 }
  const hello = await fetch(`${service.url}/hello`, { headers: { origin: 'https://other.example' } })
  assert.deepEqual(await hello.json(), { message: 'hello stranger!' })
  assert.equal(hello.headers.get('access-control-allow-origin'), '*', 'PyMacaron allows every origin')
  assert.equal(hello.headers.get('x-hooked'), 'yes')
  const greeting = [200, { message: 'hello ada!' }]
  assert.deepEqual(await call(service, '/hello/with/auth', bearer(good)), greeting)
  // Within the leeway of 300 s, in any case, and as a cookie, URL-encoded.
  assert.deepEqual(
    await call(service, '/hello/with/auth', bearer({ ...good, exp: now - 200 }, 'bEaReR')),
    greeting,
  )
  const cookie = `a=b; token=${encodeURIComponent(`Bearer ${signed(good)}`)}`
  assert.deepEqual(await call(service, '/hello/with/auth', { cookie }), greeting)
  const refusals: readonly (readonly [Record<string, string>, string])[] = [
    [{}, 'AUTHORIZATION_HEADER_MISSING'],
    [{ authorization: signed(good) }, 'TOKEN_INVALID'],
    [bearer({ ...good, aud: 'other' }), 'TOKEN_INVALID'],
    [bearer({ ...good, iat: now + 4000 }), 'TOKEN_INVALID'],
    [bearer({ ...good, exp: now - 400 }), 'TOKEN_EXPIRED'],
  ]
  for (const [headers, code] of refusals)
    assert.deepEqual(await refused(service, '/hello/with/auth', headers), [401, code])
  const question = await service.post('/hello/with/inheritance', { question: 'anybody here?' }, bearer(good))
  assert.deepEqual([question.status, question.body], [200, { message: 'Yes, to "anybody here?"' }])
  const wrong = await service.post('/hello/with/inheritance', { quest: 1 }, bearer(good))
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'INVALID_PARAMETER'])
  assert.equal((await service.get('/v1/hello')).status, 404, 'the basePath is not applied')
}

async function tellsOfItself(service: RunningService, { issuer, audience }: Claims): Promise<void> {
  const [, pong] = await call(service, '/ping')
  assert.deepEqual(pong, {})
  const [status, version] = await call(service, '/version')
  assert.equal(status, 200)
  const { name, apis, pym_env } = version
  assert.deepEqual([name, pym_env], ['hello', 'test'])
  assert.ok(Array.isArray(apis) && apis.includes('helloworld'))
  assert.deepEqual(await refused(service, '/auth/version'), [401, 'AUTHORIZATION_HEADER_MISSING'])
  const token = bearer({ sub: 'ada', iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 })
  assert.deepEqual((await call(service, '/auth/version', token))[1], version)
}

async function tellsOfCrashes(service: RunningService): Promise<void> {
  const [status, body] = await call(service, '/die?secret=1', { 'x-call-id': 'the-crash' })
  const { error_id, error_description, ...rest } = body
  assert.deepEqual([status, rest], [500, { status: 500, error: 'SERVER_ERROR' }])
  assert.ok(!String(error_description).includes('bug of this service'))
  const { title, data, callId } = await reported(service, 'do_crash')
  assert.equal(title, 'helloworld.api.do_crash(): a bug of this service, of which callers learn nothing')
  assert.deepEqual([callId, data.error_id, data.request?.path], ['the-crash', error_id, '/die'])
  assert.equal(data.server.api_name, 'hello')
}

async function runsTasks(service: RunningService, { issuer, audience }: Claims): Promise<void> {
  const token = bearer({ sub: 'ada', iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 })
  assert.equal((await call(service, '/async', token))[0], 200)
  const [note] = await lines(service, 'notes.ndjson')
  assert.equal(note?.path, '/async')
  assert.ok(String(note?.place).startsWith('/tmp/'), 'own keys of the configuration are read in tasks')
  assert.equal((await call(service, '/asyncdie', { 'x-call-id': 'the-task' }))[0], 200)
  const { title, data, callId } = await reported(service, 'fail()')
  assert.equal(title, 'fail(): something went wrong in the task')
  assert.equal(callId, 'the-task')
  assert.deepEqual([data.request?.path, data.request?.method], ['/asyncdie', 'GET'])
  assert.deepEqual([data.task?.name, data.task?.attempt, data.task?.outcome], ['fail', 1, 'failed'])
  assert.match(data.trace, /helloworld\/api\.ts/)
}

/** PyMacaron's crash API, bound to functions of Macaron. */
async function crashes(service: RunningService): Promise<void> {
  for (const path of ['internalexception', 'pymacaronexception', 'returnerrorinstance', 'returnerrormodel'])
    assert.equal((await call(service, `/crash/${path}`))[0], 500, path)
  assert.equal((await call(service, '/crash/returnfatalerrorresponse'))[0], 500)
  assert.equal((await call(service, '/crash/returnnonfatalerrorresponse'))[0], 401)
  assert.equal((await call(service, '/crash/reporterror'))[0], 200)
  assert.equal((await call(service, '/crash/slowcall'))[0], 200)
  const slow = await reported(service, 'do_crash_slow_call')
  assert.match(slow.title, /do_crash_slow_call\(\) took \d+ ms/)
  assert.equal((await reported(service, 'This error was asked for: it is')).data.is_fatal_error, false)
  const model = await reported(service, 'do_crash_return_error_model')
  assert.deepEqual([model.data.response?.status, model.data.response?.error_code], [500, 'CRASH_ON_DEMAND'])
}

type Body = Readonly<Record<string, unknown>>

async function call(
  service: RunningService,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<[number, Body]> {
  const response = await fetch(`${service.url}${path}`, { headers })
  const body: Body = JSON.parse(await response.text())
  return [response.status, body]
}

async function refused(...request: Parameters<typeof call>): Promise<[number, unknown]> {
  const [status, { error }] = await call(...request)
  return [status, error]
}

function bearer(claims: object, scheme = 'Bearer'): { authorization: string } {
  return { authorization: `${scheme} ${signed(claims)}` }
}

/** As PyMacaron's generate_token writes them. */
function signed(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

interface Reported {
  readonly title: string
  readonly data: ReportData
  readonly callId: string
}

async function reported(service: RunningService, part: string): Promise<Reported> {
  return await until(
    // Written by the fixture's own reporter.
    () =>
      written(service, 'reports.ndjson').find(({ title }) => String(title).includes(part)) as
        | Reported
        | undefined,
    { what: `a report of ${part}`, timeoutMs: 30_000 },
  )
}

async function lines(service: RunningService, file: string): Promise<readonly Body[]> {
  return await until(() => (written(service, file).length > 0 ? written(service, file) : undefined), {
    what: `something in ${file}`,
    timeoutMs: 30_000,
  })
}

function written(service: RunningService, file: string): readonly Body[] {
  const path = join(service.folder, file)
  if (!existsSync(path)) return []
  const all = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return all.map((line) => JSON.parse(line))
}

function rolesOf(service: RunningService): readonly string[] {
  return written(service, 'roles.ndjson')
    .map(({ role, hook }) => `${role} ${hook}`)
    .toSorted()
}
