import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInThisContext } from 'node:vm'
import { fieldsOf } from '../../src/spec/class-fields.ts'

/** Everything a class body may hold, as V8 keeps it when types have been stripped. */
const everything = `class Everything extends Object {
  #secret = 1
  maybe          ;
  static constant = 1
  static arrow = (number) => { return number / 2 }
  static { this.constant = 2 }
  get half() { return this.#secret / 2 / 3 }
  set half(value) { this.#secret = value }
  static async *every() { yield /[/}]/.test('}') }
  async fetch(options = { text: \`x\${ { one: \`}\${1}\` }.one }\` }) { const pattern = /}/g; return [pattern, options] }
  name = 'a' // { a comment
  'quoted name' = 3;
  ['x' + 'y'] = 4
  later = () => { return 1 }
  get;
  set;
  async
  in = 1;
  *each() {}
  ['computed'](){ }
  #hidden() { return this.#hidden }
  static #count = 0
  static async = Everything.#count
  static
  static() { return 1 }
  text() { return "//" /* } */ }
  last
  constructor() { super(); this.last = 1 }
}`

test('fields and private names of a class are found in its text, whatever stands around them', () => {
  const source = String(runInThisContext(`(${everything})`))
  assert.equal(source, everything)
  assert.deepEqual(fieldsOf(source), [
    '#secret',
    'maybe',
    'name',
    "'quoted name'",
    "['x'+'y']",
    'later',
    'get',
    'set',
    'async',
    'in',
    '#hidden',
    'last',
  ])
})

test('classes of methods only have no fields, and those of the class they extend are not theirs', () => {
  const methods = 'class { a() {} get b() { return 1 } static c = 2 }'
  for (const text of ['class {}', methods, 'class extends (class { x = 1 }) { static y = 2 }'])
    assert.deepEqual(fieldsOf(String(runInThisContext(`(${text})`))), [], text)
})

test('text that is no class has no fields, and never hangs', () => {
  for (const text of ['', 'function f() {}', 'class {', '`', '/', 'class A { "', '}{', 'class A { a = `${'])
    fieldsOf(text)
})
