import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { decode, encode } from '../../src/tasks/codec.ts'
import { encoding, Money, models } from './support.ts'
import { value } from './values.ts'

const roundTrip = (value: unknown): unknown => decode(encode(value, encoding), models)

suite('what the codec carries', () => {
  test('any nesting of the supported kinds comes back as it was', () => {
    fc.assert(
      fc.property(value, (original) => {
        assertSame(roundTrip(original), original)
      }),
      { seed: 20_261_123, numRuns: 3000 },
    )
  })

  test('plain JSON is stored byte by byte as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
        fc.pre(!JSON.stringify(json).includes('"$') && !hasNegativeZero(json))
        assert.equal(encode(json, encoding), JSON.stringify(json))
        assert.deepEqual(roundTrip(json), json)
      }),
      { seed: 2, numRuns: 3000 },
    )
  })

  test('numbers that JSON has no form for come back, among plain values and tagged ones', () => {
    for (const number of [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const original of [number, [number], { a: { b: [1, number] } }, [number, new Date(0)]]) {
        assert.deepStrictEqual(roundTrip(original), original)
      }
    }
  })

  test('a model comes back as an instance with its methods, nested anywhere', () => {
    const price = new Money({
      amount: 5,
      currency: 'EUR',
      extra: [new Money({ amount: 1, currency: 'CHF' })],
    })
    const back = roundTrip([{ prices: new Map([['now', price]]) }])
    assert.ok(Array.isArray(back) && back[0].prices instanceof Map)
    const money = back[0].prices.get('now')
    assert.ok(money instanceof Money)
    assert.equal(money.text(), '5 EUR')
    assert.ok(Array.isArray(money.extra) && money.extra[0] instanceof Money)
  })

  test('an error keeps name, message, stack, code and the chain of causes, and is an Error', () => {
    const root = Object.assign(new RangeError('root'), { code: 'E_ROOT' })
    const back = roundTrip(new SyntaxError('top', { cause: root }))
    assert.ok(back instanceof Error && back.cause instanceof Error)
    assert.deepEqual([back.name, back.message, String(back)], ['SyntaxError', 'top', 'SyntaxError: top'])
    assert.match(back.stack ?? '', /codec\.test\.ts/)
    assert.deepEqual([back.cause.name, back.cause.message], ['RangeError', 'root'])
    assert.equal('code' in back.cause && back.cause.code, 'E_ROOT')
    assert.deepEqual(Object.keys(back), [])
  })

  test('errors with odd properties can still be read back', () => {
    const odd = Object.assign(new Error('x'), { message: { a: 1 }, name: 7, stack: undefined, code: 12 })
    const back = roundTrip(odd)
    assert.ok(back instanceof Error)
    assert.deepEqual([back.message, back.name, 'code' in back], ['[object Object]', '7', false])
    assert.ok(roundTrip(new AggregateError([1], 'many')) instanceof Error)
    assert.ok(roundTrip(new DOMException('gone', 'AbortError')) instanceof Error)
  })

  test('holes become undefined, objects without prototype ordinary ones, shared references copies', () => {
    // biome-ignore lint/suspicious/noSparseArray: the hole is the point
    assert.deepEqual(roundTrip([1, , 3]), [1, undefined, 3])
    const bare = Object.assign(Object.create(null), { a: 1, $b: { c: undefined } })
    assert.deepEqual(roundTrip(bare), { a: 1, $b: { c: undefined } })
    const shared = { at: new Date(0) }
    const back = roundTrip([shared, shared])
    assert.ok(Array.isArray(back) && back[0] !== back[1])
    assert.deepEqual(back, [shared, shared])
  })

  test('dates of fake clocks are dates', () => {
    class FakeDate extends Date {}
    const back = roundTrip([new FakeDate(5)])
    assert.deepEqual(back, [new Date(5)])
  })

  test('an own key __proto__ stays a key and changes no prototype', () => {
    const evil: unknown = JSON.parse('{"__proto__":{"polluted":1},"at":null}')
    for (const original of [evil, { evil, at: new Date(0) }]) {
      const back = roundTrip(original)
      assert.deepEqual(back, original)
      assert.equal(Object.getPrototypeOf(back), Object.prototype)
      assert.equal(Reflect.get({}, 'polluted'), undefined)
    }
  })

  test('bytes are taken from the view alone, not from the memory around it', () => {
    const pooled = Buffer.from('the secret neighbour and me')
    assert.ok(!encode([pooled.subarray(25)], encoding).includes(Buffer.from('secret').toString('base64')))
    const back = roundTrip(new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2))
    assert.deepEqual(back, new Uint16Array([2, 3]))
  })

  test('what inherits or hides a toJSON is carried by its own data', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => undefined, enumerable: false })
    assert.equal(encode(hidden, encoding), '{"a":1}')
    const list = Object.defineProperty([1], 'toJSON', { value: () => 'x', enumerable: false })
    assert.equal(encode(list, encoding), '[1]')
  })

  test('a proxy is carried as what it shows', () => {
    assert.deepEqual(roundTrip(new Proxy({ a: [1] }, {})), { a: [1] })
  })
})

function assertSame(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(forComparison(actual), forComparison(expected))
}

/** Errors arrive as Error with the name they had; everything else must be the same down to its class. */
function forComparison(value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message, stack, cause } = value
    return { name, message, stack, code: Reflect.get(value, 'code'), cause: forComparison(cause) }
  }
  if (Array.isArray(value)) return value.map(forComparison)
  if (value instanceof Map) return [...value].map((pair) => pair.map(forComparison))
  if (value instanceof Set) return [...value].map(forComparison)
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Money.prototype) return value
  return [prototype, Object.entries(value).map(([name, part]) => [name, forComparison(part)])]
}

function hasNegativeZero(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return Object.is(json, -0)
  return Object.values(json).some(hasNegativeZero)
}
