import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tree } from './tree.ts'

const runner = readFileSync(join(import.meta.dirname, '../../scripts/test.ts'), 'utf8')
const head = "import { test } from 'node:test'\n"

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a copy of the runner on tests of its own. */
function runTests(files: Readonly<Record<string, string>>, ...args: readonly string[]): Ran {
  using made = tree({ ...files, 'scripts/test.ts': runner, 'package.json': '{"type":"module"}' })
  // Inside a test Node would not start another run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return spawnSync(process.execPath, ['scripts/test.ts', ...args], { cwd: made.root, encoding: 'utf8', env })
}

const passing = { 'test/a.test.ts': `${head}test('one', () => {})\ntest('two', () => {})\n` }

test("tests that pass end with 0 and Node's closing totals", () => {
  const { status, stdout } = runTests(passing)
  assert.equal(status, 0)
  assert.match(stdout, /tests 2\n.*pass 2\n.*fail 0\n/s)
})

test('a test that fails, or a file that cannot be loaded, ends with 1', () => {
  for (const line of ["test('bad', () => { throw new Error('no') })", "import 'nowhere'"]) {
    const { status, stdout } = runTests({ ...passing, 'test/b.test.ts': `${head}${line}\n` })
    assert.equal(status, 1)
    assert.match(stdout, /fail 1\n/)
  }
})

test('skipped tests are listed at the end with their reasons', () => {
  const { status, stdout } = runTests({
    'test/a.test.ts': `${head}test('big', { skip: 'no disk' }, () => {})\n`,
  })
  assert.equal(status, 0)
  assert.match(stdout, /Skipped tests and why:\n {2}test\/a\.test\.ts: big: no disk\n$/)
})

test('soak tests run when asked for, and only they', () => {
  const files = { ...passing, 'test/soak/b.test.ts': `${head}test('long', () => {})\n` }
  assert.match(runTests(files).stdout, /tests 2\n/)
  const { stdout } = runTests(files, 'soak')
  assert.match(stdout, /long/)
  assert.match(stdout, /tests 1\n/)
})

test('parts of paths and a pattern of names choose what runs', () => {
  const files = { ...passing, 'test/b.test.ts': `${head}test('three', () => {})\n` }
  assert.match(runTests(files, 'b.test').stdout, /tests 1\n/)
  assert.match(runTests(files, '--name', 'TWO').stdout, /✔ two/)
  assert.doesNotMatch(runTests(files, '--name', 'TWO').stdout, /✔ (one|three)/)
  const none = runTests(files, 'nothing-like-this')
  assert.equal(none.status, 1)
  assert.match(none.stderr, /no test file whose path holds nothing-like-this/)
})

test('a random order is told with its seed and comes again with it', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const files = { 'test/a.test.ts': head + names.map((name) => `test('${name}', () => {})\n`).join('') }
  const first = runTests(files, '--random-order')
  const seed = /--seed (\d+)/.exec(first.stdout)?.[1] ?? ''
  assert.notEqual(seed, '')
  assert.deepEqual(order(runTests(files, '--seed', seed)), order(first))
  assert.deepEqual(order(first).toSorted(), names)
  assert.notDeepEqual(order(runTests(files, '--seed', '1')), order(runTests(files, '--seed', '2')))
})

function order({ stdout }: Ran): readonly string[] {
  return [...stdout.matchAll(/✔ (\w) /g)].map(([, name = '']) => name)
}
