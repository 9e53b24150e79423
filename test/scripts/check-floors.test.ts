import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFloors } from '../../scripts/floors/check.ts'
import { describeFault } from '../../scripts/source/faults.ts'
import { runScript, tree } from './tree.ts'

function faultsOf(files: Readonly<Record<string, string>>): readonly string[] {
  using made = tree(files)
  return checkFloors(made.root).map(describeFault)
}

function assertFault(files: Readonly<Record<string, string>>, expected: RegExp): void {
  assert.match(faultsOf(files)[0] ?? 'no fault', expected)
}

test('imports down the floors, of the contract and between the files of a folder are fine', () => {
  const faults = faultsOf({
    'src/core/errors.ts': 'export const a = 1\n',
    'src/tasks/a.ts':
      "import { a } from '../core/errors.ts'\nimport type { E } from '../engines/engine.ts'\nexport const b: E = a\n",
    'src/tasks/b.ts':
      "import { b } from './a.ts'\nimport { type E } from '../engines/engine.ts'\nexport const c: E = b\n",
    'src/engines/engine.ts': 'export type E = number\n',
    'src/engines/open.ts': "import { x } from './sqlite/engine.ts'\nexport const y = x\n",
    'src/engines/sqlite/engine.ts':
      "import { DatabaseSync } from 'node:sqlite'\nexport const x = DatabaseSync\n",
    'src/service.ts':
      "import { y } from './engines/open.ts'\nimport { e } from './config.ts'\nexport const z = [y, e]\n",
    'src/config.ts': 'export const e = process.env\n',
    'src/cli/main.ts': "import { z } from '../service.ts'\nconsole.log(z, process.env.PORT)\n",
    'src/supervisor/signals.ts': "process.on('SIGTERM', () => process.kill(1, 'SIGTERM'))\n",
  })
  assert.deepEqual(faults, [])
})

const upward: Readonly<Record<string, string>> = {
  'a static import': "import { x } from '../http/x.ts'",
  'an import over several lines': "import {\n  x,\n  y,\n} from '../http/x.ts'",
  'a type-only import': "import type { X } from '../http/x.ts'",
  'a re-export': "export * from '../http/x.ts'",
  'an import for its effects': "import '../http/x.ts'",
  'a dynamic import': "const x = await import('../http/x.ts')",
}
for (const [form, line] of Object.entries(upward)) {
  test(`${form} up the floors is a fault with its file and line`, () => {
    assertFault(
      { 'src/tasks/a.ts': `\n${line}\n`, 'src/http/x.ts': 'export const x = 1\n' },
      /^src\/tasks\/a\.ts:\d+: imports upward: tasks \(floor 1\) must not know http \(floor 3\)$/,
    )
  })
}

test('an import in a comment or a string is none', () => {
  const code = "// import { x } from '../http/x.ts'\nexport const text = \"import('../http/x.ts')\"\n"
  assert.deepEqual(faultsOf({ 'src/tasks/a.ts': code, 'src/http/x.ts': '' }), [])
})

test('two folders of one floor may not know each other', () => {
  assertFault(
    { 'src/http/a.ts': "import '../worker/b.ts'\n", 'src/worker/b.ts': '' },
    /a\.ts:1: imports sideways/,
  )
})

test('two engines may not know each other', () => {
  const files = { 'src/engines/bullmq/a.ts': "import '../sqlite/b.ts'\n", 'src/engines/sqlite/b.ts': '' }
  assertFault(files, /the engine bullmq must not know the engine sqlite/)
})

test('values of the contract, and its types in core, are faults', () => {
  const engine = { 'src/engines/engine.ts': 'export const E = 1\n' }
  assertFault({ ...engine, 'src/tasks/a.ts': "import { E } from '../engines/engine.ts'\n" }, /imports upward/)
  assertFault(
    { ...engine, 'src/core/a.ts': "import type { E } from '../engines/engine.ts'\n" },
    /imports upward/,
  )
})

test('nothing in src may import testing, not even from its own floor', () => {
  const files = { 'src/cli/a.ts': "import '../testing/b.ts'\n", 'src/testing/b.ts': '' }
  assertFault(files, /nothing in src may import testing/)
})

test('the composition may not be imported from below, nor may src reach outside', () => {
  assertFault({ 'src/http/a.ts': "import '../service.ts'\n", 'src/service.ts': '' }, /imports upward/)
  assertFault({ 'src/http/a.ts': "import '../../test/x.ts'\n" }, /outside src/)
})

test('a folder without a floor is told', () => {
  assertFault({ 'src/magic/a.ts': "import '../core/b.ts'\n", 'src/core/b.ts': '' }, /magic/)
})

test('a circle of values is told once, a circle of types is none', () => {
  const values = {
    'src/core/a.ts': "import './b.ts'\n",
    'src/core/b.ts': "import './c.ts'\n",
    'src/core/c.ts': "\nimport './a.ts'\n",
  }
  assert.deepEqual(faultsOf(values), [
    'src/core/c.ts:2: closes a circle: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts',
  ])
  assert.deepEqual(faultsOf({ ...values, 'src/core/c.ts': "import type { A } from './a.ts'\n" }), [])
})

const misplaced: Readonly<Record<string, string>> = {
  'the environment': 'export const port = process.env.PORT',
  'the environment, taken apart': 'export const { env } = process',
  'the environment, imported': "import { env } from 'node:process'",
  'a signal handler': "process.once('SIGINT', () => {})",
  'a signal sent': "process.kill(1, 'SIGKILL')",
  SQLite: "import { DatabaseSync } from 'node:sqlite'",
  BullMQ: "import { Queue } from 'bullmq'",
}
for (const [what, line] of Object.entries(misplaced)) {
  test(`${what} in the wrong folder is a fault`, () => {
    assertFault({ 'src/http/a.ts': `\n${line}\n` }, /^src\/http\/a\.ts:2: .* only$/)
  })
}

test('the command prints a line for each fault and fails, and is silent and succeeds without', () => {
  using bad = tree({
    'src/magic/a.ts': "import '../core/b.ts'\nimport '../core/b.ts'\n",
    'src/core/b.ts': '',
  })
  const failed = runScript('check-floors.ts', [bad.root])
  assert.equal(failed.status, 1)
  assert.deepEqual(failed.faults.length, 3)
  assert.equal(failed.faults.at(-1), 'check-floors: 2 faults')
  using good = tree({ 'src/core/b.ts': '' })
  assert.deepEqual(runScript('check-floors.ts', [good.root]), { status: 0, stdout: '', faults: [] })
})
