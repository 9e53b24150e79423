import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFault } from '../../scripts/source/faults.ts'
import { checkStyle } from '../../scripts/style/check.ts'
import { runScript, tree } from './tree.ts'

function faultsOf(files: Readonly<Record<string, string>>): readonly string[] {
  using made = tree(files)
  return checkStyle(made.root).faults.map(describeFault)
}

function assertFault(code: string, expected: RegExp): void {
  assert.match(faultsOf({ 'src/core/a.ts': code })[0] ?? 'no fault', expected)
}

/** So many short statements, one a line. */
function statements(count: number): string {
  return '  run()\n'.repeat(count)
}

test('a fine file has no faults', () => {
  const code = `/** TO DO lists are fine, and so is any word in prose, as you like! */
import * as path from 'node:path'
import { a as b, type C as D } from './b.ts'
export { b as c }
const kinds = ['a', 'b'] as const
// It was checked above.
const one = path as unknown
const two = { three: !one, four: one !== kinds } // not a! b as c
const five = one as D // because
export function f(this: D, a: Map<string, number>, { x, y, z }: D, c = [1, 2]): { any: string } {
  if (!a) throw new Failure('new Error(')
  return \`as \${b(x, y, z, c, two, five)} any!\`
}
`
  assert.deepEqual(faultsOf({ 'src/core/a.ts': code }), [])
})

const bad: Readonly<Record<string, readonly [code: string, expected: RegExp]>> = {
  'a default export': ['\nexport default 1\n', /^src\/core\/a\.ts:2: default export/],
  'a default export by renaming': ['export { a as default }\n', /default export/],
  any: ['\nexport const a: any = 1\n', /^src\/core\/a\.ts:2: any/],
  'any in a generic': ['export const a: Map<string, any> = b\n', /any/],
  'a list of any': ['export const a: any[] = b\n', /any/],
  'a non-null assertion': ['\nexport const a = b!.c\n', /^src\/core\/a\.ts:2: non-null/],
  'a non-null assertion at the end of a line': ['export const a = b()!\n', /non-null/],
  'an `as` without a why': ['\nexport const a = b as C\n', /^src\/core\/a\.ts:2: `as` without/],
  'a bare error': ["\nthrow new Error('no')\n", /^src\/core\/a\.ts:2: bare Error/],
  'a leftover': ['\n// TODO: later\n', /^src\/core\/a\.ts:2: TODO/],
}
for (const [what, [code, expected]] of Object.entries(bad)) {
  test(`${what} is a fault with its file and line`, () => assertFault(code, expected))
}

test('a comment above the statement explains an `as` that the formatter moved down', () => {
  const code = '// It was made here.\nconst a = {\n  b: c as D,\n}\n'
  assert.deepEqual(faultsOf({ 'src/core/a.ts': code }), [])
  assertFault(`\n${code.replace('// It was made here.\n', '')}`, /^src\/core\/a\.ts:3: `as` without/)
})

test('a bare error is fine outside src', () => {
  assert.deepEqual(faultsOf({ 'scripts/a.ts': "throw new Error('no')\n" }), [])
})

for (const name of ['utils', 'helper', 'types', 'common', 'misc', 'index']) {
  test(`a file named ${name}.ts is a fault`, () => {
    assert.match(faultsOf({ [`src/core/${name}.ts`]: 'export {}\n' })[0] ?? '', /^src\/core\/.*:1: /)
  })
}

test('a file of 301 lines is a fault, one of 300 only weighs on the median', () => {
  assertFault(statements(301), /has 301 lines, more than 300/)
  assertFault(statements(300), /^src:1: the median of its files is 300 lines, more than 80$/)
})

const forms: Readonly<Record<string, readonly [head: string, tail: string]>> = {
  'a function': ['export async function* long<T>(a: () => { b: T }): Promise<{ c: T }> {', '}'],
  'a method': ['class A {\n  #long(a: string): a is B {', '}\n}'],
  'a constructor': ['class A {\n  constructor(a: string) {', '}\n}'],
  'an arrow function': ['const long = async (a: string): Promise<void> => {', '}'],
  'a function that returns a function': ['function long(): () => void {', '}'],
}
for (const [what, [head, tail]] of Object.entries(forms)) {
  test(`${what} of more than 80 lines is a fault, one of 80 is not`, () => {
    const tooLong = (count: number) =>
      faultsOf({ 'src/core/a.ts': `${head}\n${statements(count - 2)}${tail}\n` }).filter(
        (line) => /more than 80$/.test(line) && !/median/.test(line),
      )
    assert.equal(tooLong(81).length, 1)
    assert.equal(tooLong(80).length, 0)
  })
}

test('blocks of if, for, switch and catch are no functions', () => {
  const code = [
    'if (a)',
    'for (const a of b)',
    'switch (a)',
    'try {} catch (a)',
    'for await (const a of b)',
    'while (a)',
  ]
    .map((head) => `${head} {\n${statements(1)}}\n`)
    .join('')
  using made = tree({ 'src/core/a.ts': code })
  assert.match(checkStyle(made.root).table, /src +functions +0/)
})

test('four parameters are a fault in functions, methods and arrows, three are fine', () => {
  for (const head of [
    'function f(a, b, c, D) {}',
    'class A {\n  f(a, b, c, D) {}\n}',
    'const f = (a, b, c, D) => 1',
  ]) {
    assertFault(`${head}\n`, /takes 4 parameters/)
    assert.deepEqual(faultsOf({ 'src/core/a.ts': `${head.replace(', D', '')}\n` }), [])
  }
})

test('the figures of a folder are printed as a table', () => {
  using made = tree({ 'src/core/a.ts': `function f() {\n${statements(3)}}\n`, 'src/core/b.ts': 'run()\n' })
  const { status, stdout, faults } = runScript('check-style.ts', [made.root])
  assert.deepEqual([status, faults], [0, []])
  assert.match(stdout, /count +median +p90 +p99 +max\n/)
  assert.match(stdout, /src +files +2 +1 +5 +5 +5\n/)
  assert.match(stdout, /src +functions +1 +5 +5 +5 +5\n/)
})

test('the command fails where there are faults', () => {
  using made = tree({ 'src/core/a.ts': 'export default 1\n' })
  const { status, faults } = runScript('check-style.ts', [made.root])
  assert.equal(status, 1)
  assert.equal(faults.at(-1), 'check-style: 1 fault')
})
