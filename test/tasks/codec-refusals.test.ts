import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { suite, test } from 'node:test'
import vm from 'node:vm'
import fc from 'fast-check'
import { UploadedFile } from '../../src/core/uploaded-file.ts'
import { decode, encode } from '../../src/tasks/codec.ts'
import { encoding, Money, models } from './support.ts'
import { value } from './values.ts'

const roundTrip = (value: unknown): unknown => decode(encode(value, encoding), models)

test('a refusal says where the call was, however deep the value is', () => {
  const deep = Array.from({ length: 30 }).reduce<unknown>(
    (inner) => [inner],
    () => 1,
  )
  const fire = () => encode(deep, encoding)
  assert.throws(fire, ({ stack }: Error) => /codec-refusals\.test\.ts/.test(stack ?? ''))
})

suite('what the codec refuses', () => {
  class Custom {
    readonly a = 1
  }
  class Roster extends Map {}
  class Stack extends Array {}
  const cyclic: { self?: unknown } = {}
  cyclic.self = [cyclic]
  const file = new UploadedFile({ name: 'a', type: 'b', size: 0, limit: 1 }, () => Readable.from([]))

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
    [
      'an uploaded file',
      [{ picture: file }],
      /an uploaded file, .*await file\.buffer\(\)\) at \[0\]\.picture/,
    ],
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

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
