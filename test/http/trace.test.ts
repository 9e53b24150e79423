import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentContext } from '../../src/core/context.ts'
import { traceOf } from '../../src/http/trace.ts'
import { rawReplies, serve, talk } from './service.ts'

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const entry = (key: string, length: number) => `${key}=${'v'.repeat(length - key.length - 1)}`
const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`)

const states: readonly (readonly [what: string, sent: string, kept: string | undefined])[] = [
  ['one', 'a=1', 'a=1'],
  ['some, with spaces between', ' a=1 ,\tb@c=x y, ', 'a=1,b@c=x y'],
  ['32', many(32).join(), many(32).join()],
  ['33', many(33).join(), undefined],
  ['one twice', 'a=1,b=2,a=3', undefined],
  ['no value', 'a=', undefined],
  ['no key', '=1', undefined],
  ['upper case', 'A=1', undefined],
  ['two signs', 'a=b=c', undefined],
  ['nothing', '', undefined],
  ['512 characters', [entry('a', 256), entry('b', 255)].join(), [entry('a', 256), entry('b', 255)].join()],
  [
    'a long one too many',
    [entry('a', 250), entry('b', 250), 'c=1', entry('d', 128)].join(),
    ['c=1', entry('d', 128)].join(),
  ],
  [
    'short ones too many',
    ['a', 'b', 'c', 'd', 'e'].map((key) => entry(key, 120)).join(),
    ['a', 'b', 'c', 'd'].map((key) => entry(key, 120)).join(),
  ],
]

for (const [what, sent, kept] of states) {
  test(`of a tracestate of ${what} is kept what may be passed on`, () => {
    assert.deepEqual(traceOf({ traceparent: trace, tracestate: sent }), { trace, traceState: kept })
  })
}

test('without a traceparent that is one, there is no tracestate either', () => {
  const none = { trace: undefined, traceState: undefined }
  const zeros = (text: string) => trace.replace(text, '0'.repeat(text.length))
  for (const traceparent of [
    undefined,
    '',
    'x',
    zeros('0af7651916cd43dd8448eb211c80319c'),
    zeros('b7ad6b7169203331'),
    trace.replace('00-', 'ff-'),
    `${trace}, ${trace}`,
    trace.toUpperCase(),
  ])
    assert.deepEqual(traceOf({ traceparent, tracestate: 'a=1' }), none)
})

test('headers that come several times are one list', async (t) => {
  const handler = () => ({ state: currentContext()?.traceState })
  const server = await serve(t, { 'get /a': { handler } })
  const head = `GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntraceparent: ${trace}\r\ntracestate: a=1\r\nTraceState: b=2\r\n\r\n`
  assert.deepEqual(rawReplies(await talk(server, head))[0]?.json, { state: 'a=1,b=2' })
})

test('a list made to keep the reader busy takes no time to speak of', () => {
  const started = performance.now()
  for (const unit of [',', 'a=1,', 'a= ', 'a@', '=', ' ,'])
    for (let round = 0; round < 200; round += 1)
      traceOf({ traceparent: trace, tracestate: unit.repeat(16_000 / unit.length) })
  assert.ok(performance.now() - started < 2000)
})
