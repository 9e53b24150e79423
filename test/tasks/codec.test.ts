import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import vm from 'node:vm'
import fc from 'fast-check'
import { MessageError } from '../../src/core/errors.ts'
import { decode, encode } from '../../src/tasks/codec.ts'
import { encoding, Money, models } from './support.ts'

const roundTrip = (value: unknown): unknown => decode(encode(value, encoding), models)

/** Buffers and views that lie in the middle of memory that others use too. */
const offset = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 24 }), fc.nat(7))
  .map(([bytes, skip]) => Buffer.concat([Buffer.alloc(8), bytes]).subarray(skip))
const words = fc.uint8Array({ minLength: 24, maxLength: 24 })
const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
].map((View) => words.map((bytes) => new View(bytes.slice().buffer, 8, 1)))

const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('$', '$$', '$v', '$$x', '__proto__', 'constructor', 'toString', 'v', '\ud800', ''),
)

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('$', '"$', '\ud83d', '\u2028', '{"$":"date"}'),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.webUrl().map((text) => new URL(text)),
  offset,
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
  ...views,
)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }).map((own) => new Money(own)),
    fc.tuple(fc.string(), tie('value')).map(([message, cause]) => {
      const error = new TypeError(message, { cause })
      return Object.assign(error, { code: 'E_TEST' })
    }),
  ),
}))

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

suite('what the codec refuses', () => {
  class Custom {
    readonly a = 1
  }
  class Roster extends Map {}
  class Stack extends Array {}
  const cyclic: { self?: unknown } = {}
  cyclic.self = [cyclic]

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['a function', [{ done: [() => 1] }], /a function at \[0\]\.done\[0\]/],
    ['an own toJSON', [{ toJSON: () => 'x' }], /a function at \[0\]\.toJSON/],
    ['a symbol', [Symbol('x')], /a symbol at \[0\]/],
    ['symbol keys', { a: { [Symbol('x')]: 1 } }, /symbol keys at \.a/],
    ['a cycle', [cyclic], /a cycle\) at \[0\]\.self\[0\]/],
    ['a class instance', { custom: new Custom() }, /an instance of Custom at \.custom/],
    ['a subclass of Map', [new Roster()], /an instance of Roster/],
    ['a subclass of Array', [new Stack()], /an instance of Stack/],
    ['a boxed string', [new String('x')], /an instance of String at \[0\]/],
    ['a boxed number', [new Number(1)], /an instance of Number/],
    ['a regular expression', [/x/], /an instance of RegExp/],
    ['a promise', [Promise.resolve()], /an instance of Promise/],
    ['a weak map', [new WeakMap()], /an instance of WeakMap/],
    ['a data view', [new DataView(new ArrayBuffer(1))], /an instance of DataView/],
    ['shared memory', [new SharedArrayBuffer(1)], /an instance of SharedArrayBuffer/],
    ['a class without name', [new (class {})()], /an instance of an unnamed class/],
    ['a fake map', [Object.create(Map.prototype)], /throws when it is read .* at \[0\]/],
    ['a key of a map', [new Map([[() => 1, 1]])], /a function at \[0\]\{key 0\}/],
    ['a member of a set', [new Set([Symbol('x')])], /a symbol at \[0\]\{0\}/],
    ['a cause', new Error('x', { cause: () => 1 }), /a function at \.cause/],
    [
      'a getter that throws',
      {
        deep: {
          get x(): unknown {
            throw new Error('no entry')
          },
        },
      },
      /throws when it is read \(no entry\) at \.deep\.x/,
    ],
    ['a revoked proxy', [revoked()], /throws when it is read .* at \[0\]/],
    ['an object of another realm', [vm.runInNewContext('new (class Far {})()')], /an instance of Far/],
  ]

  for (const [what, bad, message] of refused) {
    test(`${what} is refused with its path`, () => {
      assert.throws(() => encode(bad, encoding), { code: 'ARGUMENT_NOT_PORTABLE', message })
    })
  }

  test('a key and a class name of any length give a message of bounded length', () => {
    assert.throws(
      () => encode({ ['k'.repeat(100_000)]: () => 1 }, encoding),
      (error: Error) => error.message.length < 600,
    )
  })
})

suite('how much and how deep', () => {
  test('5,000 levels are refused with the limit named, in lists, objects, maps and causes', () => {
    const nest = (wrap: (inner: unknown) => unknown, levels: number) => {
      let nested: unknown = 1
      for (let level = 0; level < levels; level++) nested = wrap(nested)
      return nested
    }
    const wraps: ((inner: unknown) => unknown)[] = [
      (inner) => [inner],
      (inner) => ({ a: inner }),
      (inner) => new Map([[inner, inner]]),
      (inner) => new Error('x', { cause: inner }),
      (inner) => new Money({ extra: inner }),
    ]
    for (const wrap of wraps) {
      const expected = {
        code: 'ARGUMENT_NOT_PORTABLE',
        message: /nested more than 500 levels deep at .{1,205}\. Pass/,
      }
      assert.throws(() => encode(nest(wrap, 5000), encoding), expected)
    }
    for (const wrap of wraps.filter((_, index) => index !== 2)) {
      const deep = nest(wrap, 500)
      assert.equal(encode(roundTrip(deep), { ...encoding, maxBytes: 1e9 }).length > 500, true)
    }
  })

  test('a call with hardly any stack left is refused, not ended by a stack overflow', () => {
    const deep = JSON.parse(`${'[{"a":'.repeat(200)}1${'}]'.repeat(200)}`)
    // Falls to the end of the stack; the first way back up with room for an answer gives it.
    const fall = (): string => {
      try {
        return fall()
      } catch {
        return outcome()
      }
    }
    const outcome = () => {
      try {
        return encode(deep, encoding)
      } catch (error) {
        if (error instanceof RangeError) throw error
        return String(error)
      }
    }
    assert.match(fall(), /can't travel .*Maximum call stack size exceeded/)
  })

  test('the limit counts bytes of UTF-8, exactly', () => {
    const cases = ['a'.repeat(30), 'é'.repeat(15), '€'.repeat(10), '😀'.repeat(8), '"'.repeat(15)]
    for (const text of [...cases, [new Date(0)], { k: undefined }, [1.5, null, true], new Uint8Array(9)]) {
      const size = Buffer.byteLength(encode(text, encoding))
      assert.doesNotThrow(() => encode(text, { ...encoding, maxBytes: size }))
      assert.throws(() => encode(text, { ...encoding, maxBytes: size - 1 }), {
        code: 'ARGUMENT_TOO_LARGE',
        message: new RegExp(
          `more than the ${size - 1} bytes allowed \\(max_task_bytes\\)(, namely ${size})?\\.`,
        ),
      })
    }
  })

  test('whatever fits is never refused by the early count', () => {
    fc.assert(
      fc.property(value, (original) => {
        const text = encode(original, encoding)
        assert.equal(encode(original, { ...encoding, maxBytes: Buffer.byteLength(text) }), text)
      }),
      { seed: 3, numRuns: 1000 },
    )
  })

  test('few objects that refer to each other many times are refused soon, not written out', () => {
    let bomb: unknown = ['lol']
    for (let level = 0; level < 100; level++) bomb = [bomb, bomb, bomb, bomb]
    let flat: unknown = [1]
    for (let level = 0; level < 18; level++) flat = [flat, flat, flat, flat]
    let dated: unknown = [new Date()]
    for (let level = 0; level < 100; level++) dated = { a: dated, b: dated, c: dated }
    const long = 'x'.repeat(1_000_000)
    for (const huge of [
      new Array(1000).fill(long),
      [new Date(), ...new Array(1000).fill({ long })],
      bomb,
      flat,
      dated,
      new Array(4_000_000_000),
      ['x'.repeat(2_000_000)],
      [Buffer.alloc(2e6)],
    ]) {
      assert.throws(() => encode(huge, encoding), {
        code: 'ARGUMENT_TOO_LARGE',
        message: /argument of test takes more than the 1048576 bytes allowed \(max_task_bytes\)\. Store/,
      })
    }
  })
})

suite('what the codec reads', () => {
  const undecodable: readonly string[] = [
    '',
    '{',
    'undefined',
    '[{"$":"nonsense","v":1}]',
    '{"$":null}',
    '{"$":{"$":"date"}}',
    '{"$":"__proto__"}',
    '{"$":"toString","v":1}',
    '{"$":"bigint","v":"x"}',
    '{"$":"bigint","v":"0x10"}',
    '{"$":"bigint","v":12}',
    '{"$":"number","v":"12"}',
    '{"$":"number","v":[]}',
    '{"$":"date","v":"soon"}',
    '{"$":"date"}',
    '{"$":"map","v":{}}',
    '{"$":"map","v":[[1]]}',
    '{"$":"map","v":[[1,2,3]]}',
    '{"$":"map","v":[null]}',
    '{"$":"set","v":"abc"}',
    '{"$":"buffer","v":[1,2]}',
    '{"$":"bytes","type":"Uint16Array","v":"AQ=="}',
    '{"$":"bytes","type":"BigInt64Array","v":"AAAA"}',
    '{"$":"bytes","type":"Function","v":"AAAA"}',
    '{"$":"bytes","type":"__proto__","v":"AAAA"}',
    '{"$":"bytes","v":"AAAA"}',
    '{"$":"url","v":"not a url"}',
    '{"$":"url","v":{}}',
    '{"$":"error","v":1,"name":"x"}',
    '{"$":"error","v":"x"}',
    '{"$":"error","v":"x","name":{}}',
    '{"$":"model"}',
    '{"$":"model","api":"shop","name":"Money","v":null}',
    '{"$":"model","api":"shop","name":"Gone","v":{}}',
    '{"$":"model","api":["shop"],"name":"Money","v":{}}',
    `${'{"$":"set","v":['.repeat(20_000)}1${']}'.repeat(20_000)}`,
    `["$",${'['.repeat(200_000)}${']'.repeat(200_000)}]`,
  ]

  for (const text of undecodable) {
    test(`${text.slice(0, 60)} is undecodable`, () => {
      assert.throws(() => decode(text, models), { code: 'UNDECODABLE', reason: 'undecodable' })
    })
  }

  test('text of any kind gives a value or UNDECODABLE, and leaves prototypes alone', () => {
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
    const tag = fc.constantFrom(
      ...['undefined', 'number', 'bigint', 'date', 'map', 'set', 'buffer', 'bytes', 'url', 'error', 'model'],
      ...['__proto__', 'constructor', 'x'],
    )
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.record({ $: tag, v: tie('json'), type: fc.constantFrom('Uint8Array', 'x'), name: tie('json') }),
        fc.dictionary(key, tie('json'), { maxKeys: 3 }),
        fc.array(tie('json'), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(
        fc.oneof(
          json.map((made) => JSON.stringify(made)),
          fc.string(),
        ),
        (text) => {
          try {
            decode(text, models)
          } catch (error) {
            assert.ok(error instanceof MessageError && error.reason === 'undecodable', String(error))
          }
        },
      ),
      { seed: 4, numRuns: 5000 },
    )
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before)
    assert.equal(Reflect.get({}, 'v'), undefined)
  })

  test('the message of an unreadable value does not quote it', () => {
    for (const text of [
      '["hunter2", oops',
      '[{"$":"url","v":"hunter2"}]',
      '[{"$":"bigint","v":"hunter2"}]',
    ]) {
      assert.throws(
        () => decode(text, models),
        (error: Error) => !`${error.message}${error.cause}`.includes('hunter2'),
      )
    }
  })

  test('an unknown model is named, with the reason', () => {
    assert.throws(() => decode('{"$":"model","api":"shop","name":"Gone","v":{}}', models), {
      message: /shop\.Gone.*no model shop\.Gone/,
    })
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

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
