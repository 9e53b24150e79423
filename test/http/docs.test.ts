import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from 'js-yaml'
import { newSpec, oldSpec, startDocs } from './docs-service.ts'
import { get, serve } from './service.ts'

const service = await startDocs(test)

async function fetched(path: string, init: RequestInit = {}): Promise<{ response: Response; text: string }> {
  const response = await fetch(service + path, init)
  return { response, text: await response.text() }
}

test('/doc lists every API with its page and its file, whatever the titles hold', async () => {
  const { response, text } = await fetched('/doc')
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  for (const href of ['doc/old', 'doc/old.yaml', 'doc/old.json', 'doc/new%20shop', 'doc/new%20shop.json'])
    assert.ok(text.includes(`href="${href}"`), href)
  assert.match(text, /Old &lt;shop&gt;/)
  assert.doesNotMatch(text, /<shop>/)
})

test('/doc/ leads to /doc by a relative address, which holds behind a proxy that adds a path', async () => {
  const { response } = await fetched('/doc/', { redirect: 'manual' })
  assert.equal(response.status, 308)
  assert.equal(new URL(response.headers.get('location') ?? '', 'http://x/below/doc/').pathname, '/below/doc')
})

test('a page may load from its own host only, and nobody may frame it', async () => {
  const { response } = await fetched('/doc/old')
  const policy = response.headers.get('content-security-policy') ?? ''
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
  ])
    assert.ok(policy.split('; ').includes(part), part)
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
})

test('the spec is served byte for byte in its own notation', async () => {
  const yaml = await fetched('/doc/old.yaml')
  assert.equal(yaml.text, oldSpec)
  assert.match(yaml.response.headers.get('content-type') ?? '', /^application\/yaml/)
  const json = await fetched('/doc/new%20shop.json')
  assert.equal(json.text, newSpec)
  assert.match(json.response.headers.get('content-type') ?? '', /^application\/json/)
})

test('in the other notation it says the same, compressed or not, and is not sent again unchanged', async () => {
  const json = await fetched('/doc/old.json')
  assert.deepEqual(JSON.parse(json.text), load(oldSpec))
  const plain = await fetched('/doc/new%20shop.yaml', { headers: { 'accept-encoding': 'identity' } })
  assert.equal(plain.response.headers.get('content-encoding'), null)
  assert.deepEqual(load(plain.text), JSON.parse(newSpec))
  const etag = json.response.headers.get('etag') ?? ''
  const again = await fetched('/doc/old.json', { headers: { 'if-none-match': etag } })
  assert.equal(again.response.status, 304)
  assert.equal(again.text, '')
})

test('what the page shows has the paths that are served, no other host, and only the token as security', async () => {
  const old = JSON.parse((await fetched('/doc/assets/old.json')).text)
  assert.deepEqual(Object.keys(old.paths), ['/v1/whoami', '/v1/open'])
  assert.deepEqual(old.paths['/v1/whoami'].get.security, [{ JWT: [] }])
  assert.deepEqual(old.paths['/v1/open'].get.security, [])
  const shop = JSON.parse((await fetched('/doc/assets/new%20shop.json')).text)
  assert.deepEqual(Object.keys(shop.paths), ['/orders-api/orders/{id}'])
  assert.equal(shop.paths['/orders-api/orders/{id}'].parameters.length, 1)
  assert.ok(shop.components.schemas.Order)
  assert.doesNotMatch(JSON.stringify([old.host, old.schemes, shop]), /elsewhere/)
})

test('with base_path: ignore the paths are those of the spec', async (t) => {
  const address = await startDocs(t, { base_path: 'ignore' })
  const response = await fetch(`${address}/doc/assets/old.json`)
  const shown = JSON.parse(await response.text())
  assert.deepEqual(Object.keys(shown.paths), ['/whoami', '/open'])
})

test('an API that is not there is told with the nearest one, as are other methods and files', async () => {
  const unknown = await fetched('/doc/odl')
  assert.equal(unknown.response.status, 404)
  assert.match(
    JSON.parse(unknown.text).error_description,
    /no docs of "odl".*\/doc lists.*Did you mean "old"\?/,
  )
  for (const path of [
    '/doc/old.txt',
    '/doc/%2e%2e%2fmacaron.yaml',
    '/doc/assets/macaron.yaml',
    '/doc/assets/..%2fold',
    '/doc/a/b/c',
  ])
    assert.equal((await fetched(path)).response.status, 404, path)
  const posted = await fetched('/doc/old', { method: 'POST' })
  assert.equal(posted.response.status, 405)
  assert.equal(posted.response.headers.get('allow'), 'GET, HEAD')
})

test('replies that the service compresses are not compressed twice', async (t) => {
  const address = await startDocs(t, { compress: true })
  assert.match(await (await fetch(`${address}/doc`)).text(), /^<!doctype html>/)
  const json = await fetch(`${address}/doc/old.json`)
  assert.equal(json.headers.get('content-encoding'), 'gzip')
  assert.deepEqual(JSON.parse(await json.text()), load(oldSpec))
})

test('HEAD says as much as GET, without the text', async () => {
  const { response, text } = await fetched('/doc/old.json', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(text, '')
})

test('without the setting, as in production, there are no docs', async (t) => {
  const address = await startDocs(t, { docs: false })
  for (const path of ['/doc', '/doc/old', '/doc/old.yaml', '/doc/assets/scalar.js'])
    assert.equal((await fetch(address + path)).status, 404, path)
})

test('a spec that has such a path keeps it', async (t) => {
  const own = { handler: () => ({ own: true }) }
  const server = await serve(t, { 'get /doc/{id}': own, 'post /doc': own }, { docs: true })
  assert.deepEqual((await get(server, '/doc/test')).json, { own: true })
  assert.equal((await get(server, '/doc')).status, 200)
  assert.deepEqual((await get(server, '/doc', { method: 'POST' })).json, { own: true })
})
