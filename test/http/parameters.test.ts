import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../src/spec/api.ts'
import { loadApi } from '../../src/spec/load.ts'
import { api3, sharedSpec } from '../spec/support/specs.ts'
import { serveApi } from './spec-service.ts'

const usual = (...args: readonly unknown[]) => ({ args })

/** primitive, array and object as the values that every line below writes. */
const all = { primitive: 'a b', array: ['x', 'y'], object: { name: 'n', description: 'd' } }

const header = (primitive: string, array: string, object: string) => ({
  headers: { primitive, array, object },
})

type Sent = {
  readonly method?: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

const requests: readonly Sent[] = [
  { url: '/cookies', headers: { cookie: 'primitive=a%20b; array=x; array=y; name=n; description=d' } },
  { url: '/cookies', headers: { cookie: 'primitive=a%20b; array=x,y; object=name,n,description,d' } },
  { url: '/anything/headers', ...header('a b', 'x,y', 'name,n,description,d') },
  { url: '/anything/headers/simple', ...header('a b', 'x, y', 'name,n, description,d') },
  { method: 'POST', url: '/anything/headers/simple', ...header('a b', 'x,y', 'name=n,description=d') },
  { url: '/anything/path/a%20b/x,y/name,n,description,d' },
  { url: '/anything/path/matrix/;primitive=a%20b/;array=x,y/;object=name,n,description,d' },
  { method: 'POST', url: '/anything/path/matrix/;primitive=a%20b/;array=x;array=y/;name=n;description=d' },
  { url: '/anything/path/label/.a%20b/.x,y/.name,n,description,d' },
  { method: 'POST', url: '/anything/path/label/.a%20b/.x.y/.name=n.description=d' },
  { url: '/anything/path/simple/a%20b/x,y/name,n,description,d' },
  { method: 'POST', url: '/anything/path/simple/a%20b/x,y/name=n,description=d' },
  { url: '/anything/query?primitive=a+b&array=x&array=y&name=n&description=d' },
  { url: '/anything/query/form?primitive=a+b&array=x,y&object=name,n,description,d' },
  { method: 'POST', url: '/anything/query/form?primitive=a%20b&array=x&array=y&name=n&description=d' },
]

for (const version of ['3.0', '3.1']) {
  test(`every style of OpenAPI ${version} is read from real requests`, async (t) => {
    const file = sharedSpec(t, `small/${version}-parameters-style.json`)
    if (file === undefined) return
    const read = await loadApi(file, { basePath: 'ignore' })
    // Paths with a fragment are notes to readers: no request has one.
    const api: Api = { ...read, operations: read.operations.filter(({ path }) => !path.includes('#')) }
    const server = await serveApi(t, api, { usual })
    for (const { method = 'GET', url, headers = {} } of requests) {
      const reply = await server.inject({ method, url, headers })
      assert.deepEqual(reply.json().args, [all], `${method} ${url}`)
    }
    const delimited = await server.inject({
      url: '/anything/query/pipeDelimited?array=x%7Cy&object=name|n|description|d',
    })
    assert.deepEqual(delimited.json().args[0].array, ['x', 'y'])
    const deep = await server.inject({
      url: '/anything/query/deepObject?object[name]=n&object%5Bdescription%5D=d',
    })
    assert.deepEqual(deep.json().args[0].object, all.object)
  })
}

test('parameters that are documents, reserved characters and names of any letters', async (t) => {
  const api = api3({
    paths: `
/a/{größe}:
  get:
    operationId: get
    parameters:
      - { name: größe, in: path, required: true, schema: { type: integer } }
      - { name: filter, in: query, content: { application/json: { schema: { type: object, required: [min], properties: { min: { type: integer }, at: { type: string, format: date-time } } } } } }
      - { name: note, in: query, content: { text/plain: { schema: { type: string } } } }
      - { name: path, in: query, allowReserved: true, schema: { type: string } }
      - { name: plain, in: query, schema: { type: string } }
      - { name: '日 本[]', in: query, schema: { type: array, items: { type: integer } } }
      - { name: X-Doc, in: header, content: { application/json: { schema: { type: array, items: { type: integer } } } } }
      - { name: page, in: query, schema: { type: integer, default: 1 } }
    responses: { 200: { description: ok } }`,
  })
  const server = await serveApi(t, api, { usual })
  const get = async (query: string, headers = {}) =>
    (await server.inject({ url: `/a/%37?${query}`, headers })).json()
  const query = `filter=${encodeURIComponent('{"min":1,"at":"2026-11-25T10:00:00Z"}')}&note=a%2Cb&path=/a+b?c=d&plain=a+b&${encodeURIComponent('日 本[]')}=1&${encodeURIComponent('日 本[]')}=2`
  assert.deepEqual((await get(query, { 'x-doc': '[1, 2]' })).args, [
    {
      größe: 7,
      filter: { min: 1, at: '2026-11-25T10:00:00.000Z' },
      note: 'a,b',
      path: '/a+b?c=d',
      plain: 'a b',
      '日 本[]': [1, 2],
      'X-Doc': [1, 2],
      page: 1,
    },
  ])
  const { faults } = await get('filter={"min":1&page=x', { 'x-doc': '["a"]' })
  assert.deepEqual(
    faults.map(({ path }: { path: string }) => path),
    ['query.filter', 'query.page', 'header.X-Doc[0]'],
  )
  assert.match(
    JSON.stringify(await get('filter={"__proto__":{}}')),
    /query\.filter: has a property that is not accepted: __proto__/,
  )
  assert.match(
    JSON.stringify(await get(`filter=${'['.repeat(2000)}`)),
    /query\.filter: is nested more than 500 levels deep/,
  )
})
