import fc from 'fast-check'
import { Money } from './support.ts'

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

/** Keys of objects, the hard ones often. */
export const key = fc.oneof(
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

/** Any nesting of what the codec carries. */
export const { value } = fc.letrec<{ value: unknown }>((tie) => ({
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
