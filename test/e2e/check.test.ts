import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CliAnswer, cli, documents } from './support/cli.ts'
import { copyOf } from './support/folders.ts'

test('check prints a line for each fault, counts, and ends with exit code 1', async (t) => {
  const folder = copyOf(t, 'people', {
    files: {
      'macaron.yaml': 'name: people\nport: eighty\n',
      'tasks/more.ts': "throw new Error('at import')\n",
    },
  })
  const { code, stdout, stderr } = await check(['--service', folder], folder)
  assert.equal(code, 1, stderr)
  const lines = stdout.trim().split('\n')
  assert.match(
    lines[0] ?? '',
    /^macaron\.yaml:2:1: error: port must be a whole number .* \[CONFIG_INVALID\]$/,
  )
  assert.match(lines[1] ?? '', /^tasks\/more\.ts:1:7: error: .*at import \[TASK_MODULE_BROKEN\]$/)
  assert.match(
    lines[2] ?? '',
    /^2 errors, 0 warnings, 0 hints; looked at 2 operations of 1 API and \d tasks$/,
  )
  assert.equal(lines.length, 3)
})

test('check --json is one document whatever modules print; --strict minds warnings; what modules begin ends', async (t) => {
  const folder = copyOf(t, 'people', {
    files: { 'tasks/loud.ts': "console.log('loud')\nsetInterval(() => {}, 1000)\nexport {}\n" },
  })
  appendFileSync(join(folder, 'apis/people.yaml'), '# changed\n')
  const strict = await check(['--json', '--strict', '--service', folder])
  assert.equal(strict.code, 1, strict.stderr)
  const [report, ...others] = documents<{ ok: boolean; errors: number; findings: { rule: string }[] }>(strict)
  assert.deepEqual(others, [])
  assert.deepEqual([report?.ok, report?.errors], [false, 0])
  assert.equal(report?.findings[0]?.rule, 'GENERATED_STALE')
  assert.match(strict.stderr, /loud/)
})

test('a module that ends its process while it is imported is an error, not the end of the check', async (t) => {
  const folder = copyOf(t, 'people', { files: { 'tasks/exits.ts': 'process.exit(3)\n' } })
  const { code, stdout } = await check(['--service', folder])
  assert.equal(code, 1)
  assert.match(stdout, /^error: .*exit code 3.* \[CHILD_FAILED\]$/m)
})

/** The linter's half a second can be half a minute on a loaded machine. */
function check(args: readonly string[], cwd = process.cwd()): Promise<CliAnswer> {
  return cli(['check', ...args], { cwd, timeoutMs: 120_000 })
}
