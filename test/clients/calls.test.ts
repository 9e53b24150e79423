import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientReplyError } from '../../src/clients/errors.ts'
import { clientNamed } from '../../src/clients/table.ts'
import { contextOf, withContext } from '../../src/core/context.ts'
import { ada, errorOf, json, loginAt, serverOf } from './setup.ts'

test('parameters of every place, the body and the reply travel as the spec says', async (t) => {
  const other = await serverOf(t, json(ada))
  const login = loginAt(`${other.url}/gateway/`, { headers: { 'x-key': 'k' } })
  const user = await login.getUser({
    id: 'a/../b?c',
    fields: ['name', 'born'],
    since: new Date(0),
    'X-Tenant': 'acme',
    session: 's 1',
  })
  assert.deepEqual({ ...user }, { name: 'Ada', born: new Date(ada.born) })
  assert.equal(user.constructor.name, 'User')
  const [request] = other.requests
  assert.equal(
    request?.line,
    'GET /gateway/v1/users/a%2F..%2Fb%3Fc?fields=name%7Cborn&since=1970-01-01T00%3A00%3A00.000Z',
  )
  assert.equal(request?.headers['x-tenant'], 'acme')
  assert.equal(request?.headers.cookie, 'session=s%201')
  assert.equal(request?.headers['x-key'], 'k')
  assert.equal(request?.headers['user-agent'], 'tests')
  assert.equal(request?.headers['content-length'], undefined)
})

test('a body goes first, options go last, and a reply without a body is undefined', async (t) => {
  const bodies: string[] = []
  const other = await serverOf(t, async (request, response) => {
    const chunks = await request.toArray()
    bodies.push(Buffer.concat(chunks).toString())
    if (request.method === 'PUT') response.writeHead(204).end()
    else json({ ...ada, friends: [ada] }, 201)(request, response)
  })
  const login = loginAt(other.url)
  const born = new Date(ada.born)
  assert.equal(
    await login.replaceUser({ name: 'Ada', born }, { id: '7' }, { headers: { 'X-More': 'm' } }),
    undefined,
  )
  const made = await login.addUser.reply({ name: 'Bo', born }, { timeout: '2s' })
  assert.equal(made.status, 201)
  assert.equal(made.headers['content-type'], 'application/json')
  assert.ok(made.body.friends?.[0]?.born instanceof Date)
})

test('a HEAD has headers alone, whatever body the spec declares', async (t) => {
  const other = await serverOf(t, (_, response) =>
    response.writeHead(200, { 'content-length': '9999999' }).end(),
  )
  const { status, body } = await loginAt(other.url).pingHead.reply()
  assert.deepEqual({ status, body }, { status: 200, body: undefined })
})

test('an operation without an operationId is called by its method and path', async (t) => {
  const other = await serverOf(t, json([1, 'two']))
  assert.deepEqual(await loginAt(other.url)['GET /v1/ping'](), [1, 'two'])
})

test('bytes that are no JSON, and redirections that the spec declares, are there in the reply', async (t) => {
  const other = await serverOf(t, (request, response) => {
    if (request.headers['x-elsewhere'] === undefined) response.end(Buffer.from([137, 80, 78, 71]))
    else response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end()
  })
  const login = loginAt(other.url)
  const photo = await login.getPhoto.reply()
  assert.deepEqual([...photo.bytes], [137, 80, 78, 71])
  assert.equal(photo.body, undefined)
  const moved = await login.getPhoto.reply({ headers: { 'x-elsewhere': '1' } })
  assert.equal(moved.status, 302)
  assert.equal(moved.headers.location, 'http://127.0.0.1:1/secret')
})

test('what the spec does not allow is not sent, and every fault is told at once', async (t) => {
  const other = await serverOf(t, json(ada))
  const login = loginAt(other.url)
  // Called as from JavaScript, which nobody checks before.
  const call = login.replaceUser as unknown as (...args: readonly unknown[]) => Promise<unknown>
  const error = await errorOf(
    call({ name: 7, born: 'yesterday' }, { id: '', colour: 'red' }, { retries: 1 }, 'more'),
  )
  assert.equal(error.code, 'CLIENT_INVALID_CALL')
  for (const part of ['body.name', 'body.born', 'path.id', 'colour is no parameter', 'arguments are 1 more'])
    assert.match(error.message, new RegExp(part))
  const dots = await errorOf(login.getUser({ id: '..' }))
  assert.match(dots.message, /can't be sent: one of its segments would be/)
  const header = await errorOf(
    login.getUser({ id: '7' }, { headers: { 'x-note': 'a\r\nb: c', Host: 'evil' } }),
  )
  assert.match(header.message, /headers.x-note is no header.*headers.Host is set by the client itself/)
  const retries = await errorOf(login.getUser({ id: '7' }, { retries: 0.5 }))
  assert.match(retries.message, /options.retries must be a whole number/)
  const timeout = await errorOf(login.getUser({ id: '7' }, { timeout: 'soon' as never }))
  assert.equal(timeout.code, 'BAD_DURATION')
  assert.equal(other.requests.length, 0)
})

test('a wrong name is told with the nearest one', async (t) => {
  const other = await serverOf(t, json(ada))
  const login = loginAt(other.url)
  assert.throws(() => clientNamed('logn'), { code: 'CLIENT_UNKNOWN', message: /Did you mean "login"\?/ })
  // Called as from JavaScript.
  const { getUsr } = login as unknown as Record<string, () => Promise<unknown>>
  await assert.rejects(async () => getUsr?.(), {
    code: 'CLIENT_OPERATION_UNKNOWN',
    message: /Did you mean "getUser"\?/,
  })
  assert.equal(await Promise.resolve(login), login)
})

test("an error reply is an error with the other service's code, description and error id", async (t) => {
  const said = {
    status: 409,
    error: 'USER_EXISTS',
    error_description: 'There is one already',
    error_id: 'e-1',
    user_message: 'Choose another name',
    faults: [{ path: 'body.name', message: 'is taken' }],
  }
  const other = await serverOf(t, json(said, 409))
  const error = await errorOf(loginAt(other.url).addUser({ name: 'Ada', born: new Date() }))
  assert.ok(error instanceof ClientReplyError)
  assert.equal(error.message, 'login: addUser was answered 409 USER_EXISTS: There is one already')
  const { status, code, description, errorId, userMessage, client, operation, body } = error
  assert.deepEqual(
    { status, code, description, errorId, userMessage, client, operation },
    {
      status: 409,
      code: 'USER_EXISTS',
      description: 'There is one already',
      errorId: 'e-1',
      userMessage: 'Choose another name',
      client: 'login',
      operation: 'addUser',
    },
  )
  assert.deepEqual(body, said)
})

test('other error bodies are kept, cut where they are long', async (t) => {
  const other = await serverOf(t, (_, response) => {
    response.writeHead(500, { 'content-type': 'text/html' }).end(`<h1>Oh</h1>${'x'.repeat(50_000)}`)
  })
  const error = await errorOf(loginAt(other.url)['GET /v1/ping']())
  assert.equal(error.code, 'CLIENT_ERROR_REPLY')
  assert.equal(error.status, 500)
  assert.match(String(error.body), /^<h1>Oh<\/h1>x+$/)
  assert.equal(String(error.body).length, 2048)
})

test('token, call id and trace of the context are passed on; the token only where the operation needs it', async (t) => {
  const other = await serverOf(t, json(ada))
  const login = loginAt(other.url)
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const context = {
    ...contextOf('call-7'),
    trace,
    traceState: 'a=1',
    token: { raw: 'tok', expiresAt: Date.now() + 60_000 },
  }
  await withContext(context, async () => {
    await login.getUser({ id: '7' })
    await login['GET /v1/ping']()
    await login.getUser({ id: '7' }, { token: 'other' })
    await login.getUser({ id: '7' }, { token: false })
    await login['GET /v1/ping']({ token: 'Basic abc' })
  })
  await login.getUser({ id: '7' })
  const seen = other.requests.map(({ headers }) => headers)
  assert.deepEqual(
    seen.map(({ authorization }) => authorization),
    ['Bearer tok', undefined, 'Bearer other', undefined, 'Basic abc', undefined],
  )
  assert.deepEqual(
    seen.map((headers) => headers['x-call-id']),
    [...Array(5).fill('call-7'), undefined],
  )
  assert.equal(seen[0]?.traceparent, trace)
  assert.equal(seen[0]?.tracestate, 'a=1')
})

test("a client with a key of its own, or with pass_token: false, doesn't get the caller's token", async (t) => {
  const other = await serverOf(t, json(ada))
  const context = { ...contextOf('c'), token: { raw: 'tok', expiresAt: Date.now() + 60_000 } }
  const keyed = loginAt(other.url, { headers: { authorization: 'Key k' } })
  await withContext(context, () => keyed.getUser({ id: '7' }))
  const closed = loginAt(other.url, { passToken: false })
  await withContext(context, () => closed.getUser({ id: '7' }))
  assert.deepEqual(
    other.requests.map(({ headers }) => headers.authorization),
    ['Key k', undefined],
  )
})

test('a token whose time has passed ends the call before anything is sent', async (t) => {
  const other = await serverOf(t, json(ada))
  const login = loginAt(other.url)
  const context = { ...contextOf('c'), token: { raw: 'tok', expiresAt: Date.now() - 1 } }
  const error = await errorOf(withContext(context, () => login.getUser({ id: '7' })))
  assert.equal(error.code, 'TOKEN_EXPIRED')
  assert.equal(error.status, 401)
  await withContext(context, () => login['GET /v1/ping']())
  assert.equal(other.requests.length, 1)
})
