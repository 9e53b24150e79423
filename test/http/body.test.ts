import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { faultOf } from '../../src/core/json-fault.ts'
import { until } from '../support/until.ts'
import { anyBody, collect, get, post, serve } from './service.ts'

const echo = { 'post /a': { body: anyBody, handler: (body: unknown) => ({ body: body ?? null }) } }

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('a fault is found in a text exactly when JSON.parse refuses it', () => {
  const scrap = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '.5',
    'e3',
    'true',
    'nul',
    ' ',
    '\n',
    '\\',
    '\u0000',
    '\u007f',
    'é',
    '🙈',
    '01',
  )
  const scraps = fc.array(scrap, { maxLength: 12 }).map((parts) => parts.join(''))
  const damaged = fc
    .tuple(fc.json(), fc.nat(), scrap)
    .map(
      ([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice(at % (text.length + 1)),
    )
  fc.assert(
    fc.property(fc.oneof(fc.json(), scraps, damaged, fc.string()), (text) => {
      assert.equal(faultOf(text) === undefined, isJson(text), JSON.stringify(text))
    }),
    { numRuns: 5000, seed: 20261123 },
  )
})

test('everything before a fault can be the beginning of a JSON text', () => {
  const damaged = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('{', '}', ']', ',', ':', 'x'))
    .map(
      ([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice(at % (text.length + 1)),
    )
    .filter((text) => !isJson(text))
  fc.assert(
    fc.property(damaged, (text) => {
      const fault = faultOf(text)
      assert.ok(fault)
      const beginning = text.slice(0, fault.offset)
      const inBeginning = faultOf(beginning)
      assert.ok(inBeginning === undefined || inBeginning.offset === beginning.length, text)
    }),
    { numRuns: 2000, seed: 20261123 },
  )
})

test('a body that is no JSON is told where and why', async (t) => {
  const server = await serve(t, echo)
  const { status, json } = await post(server, '/a', '{\n  "name": "x",\n  "age": old\n}')
  assert.equal(status, 400)
  assert.equal(json.error, 'BODY_NOT_JSON')
  assert.equal(
    json.error_description,
    'The body is not JSON: expected a value but found "o" at position 26 (line 3, column 10)',
  )
})

test('a body that is no UTF-8 is refused', async (t) => {
  const { status, json } = await post(await serve(t, echo), '/a', Buffer.from([0x22, 0xff, 0xfe, 0x22]))
  assert.equal(status, 400)
  assert.match(String(json.error_description), /not UTF-8/)
})

test('text of every script arrives as it was sent, also cut inside a character', async (t) => {
  const server = await serve(t, echo)
  const text = 'grüezi 🙈 日本語 \u2028'
  assert.deepEqual((await post(server, '/a', { text })).json, { body: { text } })
  const bytes = Buffer.from(JSON.stringify({ text }))
  const stream = new ReadableStream({
    async start(controller) {
      for (const byte of bytes) {
        controller.enqueue(Buffer.from([byte]))
        await new Promise(setImmediate)
      }
      controller.close()
    },
  })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as const
  assert.deepEqual((await get(server, '/a', init)).json, { body: { text } })
})

const accepted = [
  'application/json',
  'Application/JSON; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/json;',
  'application/problem+json',
  'application/vnd.api+json; charset=utf8',
]
for (const type of accepted) {
  test(`a body of type ${type} is taken`, async (t) => {
    assert.equal((await post(await serve(t, echo), '/a', '{}', { 'content-type': type })).status, 200)
  })
}

const refusedTypes = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-16',
  'application/jsonx',
  'application/xml',
  'json',
  ';;;',
]
for (const type of refusedTypes) {
  test(`a body of type ${type} gets 415 and is told what is taken`, async (t) => {
    const { status, json, headers } = await post(await serve(t, echo), '/a', '{}', { 'content-type': type })
    assert.equal(status, 415)
    assert.equal(json.error, 'UNSUPPORTED_MEDIA_TYPE')
    assert.match(String(json.error_description), /application\/json/)
    assert.equal(headers.get('accept'), 'application/json')
  })
}

test('a body without type and one that is compressed get 415', async (t) => {
  const server = await serve(t, echo)
  const untyped = await get(server, '/a', { method: 'POST', body: new Uint8Array([0x7b, 0x7d]) })
  assert.equal(untyped.status, 415)
  const zipped = await post(server, '/a', '{}', { 'content-encoding': 'gzip' })
  assert.equal(zipped.status, 415)
  assert.equal(zipped.headers.get('accept-encoding'), 'identity')
  assert.equal((await post(server, '/a', '{}', { 'content-encoding': 'identity' })).status, 200)
})

test('a body at the limit is taken, one byte more gets 413', async (t) => {
  const server = await serve(t, echo, { bodyLimit: 1000 })
  const exact = `"${'x'.repeat(998)}"`
  assert.equal((await post(server, '/a', exact)).status, 200)
  const { status, json } = await post(server, '/a', `${exact} `)
  assert.equal(status, 413)
  assert.equal(json.error, 'BODY_TOO_LARGE')
  assert.match(String(json.error_description), /1000 bytes/)
})

test('a body of 20 MB gets 413, with its length told before or not, and the connection goes on', async (t) => {
  const server = await serve(t, echo)
  const big = `"${'x'.repeat(20 * 1024 * 1024)}"`
  assert.equal((await post(server, '/a', big)).status, 413)
  const chunk = Buffer.alloc(1024 * 1024, 0x20)
  let sent = 0
  const stream = new ReadableStream({
    pull(controller) {
      if (sent++ < 20) controller.enqueue(chunk)
      else controller.close()
    },
  })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as const
  assert.equal((await get(server, '/a', init)).status, 413)
  assert.equal((await post(server, '/a', '{}')).status, 200)
})

test('a body nested too deep is refused, one nested deep enough for anybody is not', async (t) => {
  const server = await serve(t, echo)
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal((await post(server, '/a', nested(500))).status, 200)
  for (const body of [nested(501), nested(100_000), '['.repeat(100_000), '{"a":'.repeat(100_000)]) {
    const { status, json } = await post(server, '/a', body)
    assert.equal(status, 400)
    assert.equal(json.error, 'BODY_TOO_DEEP')
  }
})

test('brackets in texts are no nesting', async (t) => {
  const body = { a: '['.repeat(3000), b: '\\"{{{'.repeat(1000), c: '\\' }
  assert.equal((await post(await serve(t, echo), '/a', body)).status, 200)
})

const poisoned = [
  '{"__proto__":{"admin":true}}',
  '{"a":[{"b":{"__proto__":1}}]}',
  '{"\\u005f_proto__":1}',
  '{"__\\u0070roto__":1}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"c\\u006fnstructor":{"prototype":1}}',
]
for (const body of poisoned) {
  test(`the key that turns into a prototype is refused in ${body}`, async (t) => {
    const { status, json } = await post(await serve(t, echo), '/a', body)
    assert.equal(status, 400)
    assert.equal(json.error, 'BODY_FORBIDDEN_KEY')
    assert.equal(Reflect.get({}, 'admin'), undefined)
  })
}

test('honest bodies that look alike are taken', async (t) => {
  const server = await serve(t, echo)
  for (const body of [
    '{"text":"__proto__"}',
    '{"constructor":"acme"}',
    '{"constructor":{"name":"x"}}',
    '{"a":"\\u0070"}',
  ]) {
    assert.equal((await post(server, '/a', body)).status, 200)
  }
})

test('of a key that is there twice the last one counts, for the check and for the handler', async (t) => {
  const seen: unknown[] = []
  const request = ({ body }: { body: unknown }) => {
    seen.push(body)
    return { decoded: { params: {}, query: {}, named: {}, body } }
  }
  const server = await serve(t, { 'post /a': { ...echo['post /a'], checks: { request } } })
  assert.deepEqual((await post(server, '/a', '{"a":1,"a":2}')).json, { body: { a: 2 } })
  assert.deepEqual(seen, [{ a: 2 }])
})

test('an empty body is none', async (t) => {
  const server = await serve(t, echo)
  assert.deepEqual((await get(server, '/a', { method: 'POST' })).json, { body: null })
  const empty = new ReadableStream({ start: (controller) => controller.close() })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: empty,
    duplex: 'half',
  } as const
  assert.deepEqual((await get(server, '/a', init)).json, { body: null })
})

test('a caller who goes away in the middle of his body costs nothing but his request', async (t) => {
  const ends = collect(t, 'request.end')
  const crashes = collect(t, 'request.crash')
  let ran = 0
  const server = await serve(t, { 'post /a': { body: anyBody, handler: () => void ran++ } })
  const stop = new AbortController()
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('{"a":'))
      setImmediate(() => stop.abort())
    },
  })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as const
  await assert.rejects(get(server, '/a', { ...init, signal: stop.signal }))
  await until(() => ends.length === 1, { what: 'its end' })
  assert.equal((await get(server, '/ping')).status, 200)
  assert.equal(ran, 0)
  assert.equal(crashes.length, 0)
  assert.deepEqual(
    ends.map(({ error }) => error),
    ['BODY_INCOMPLETE'],
  )
})
