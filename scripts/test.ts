import { chmodSync, globSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'

/**
 * Runs the tests: `node scripts/test.ts [soak] [file part …] [--name pattern] [--random-order] [--seed N]`. Without `soak` everything but
 * `test/soak`, with it only that. File parts choose the files whose path holds one of them.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', short: 't' },
    'random-order': { type: 'boolean' },
    seed: { type: 'string' },
  },
})
process.chdir(dirname(import.meta.dirname))

/** Places of the files that take longest. Some of them use the processor, others mostly wait. */
const slow = ['test/e2e/', 'test/worker/', 'test/engines/', 'test/spec/']

const soak = positionals[0] === 'soak'
const parts = soak ? positionals.slice(1) : positionals
const files = chosenFiles()
if (files.length === 0) {
  console.error(`test: no test file${parts.length > 0 ? ` whose path holds ${parts.join(' or ')}` : ''}`)
  process.exit(1)
}
shareCompiledCode(join('node_modules', '.cache', 'macaron-tests'))
const skipped: string[] = []
const stream = run({
  files,
  // On two cores twice as many as there are: about half of them wait, for timers and processes.
  concurrency: 4,
  execArgv: ['--conditions=macaron-source'],
  // A file that hangs is told as a failure rather than running into the patience of whoever waits for the run.
  timeout: soak ? 3_600_000 : 240_000,
  ...(values.name === undefined ? {} : { testNamePatterns: new RegExp(values.name, 'i') }),
  ...randomOrder(),
})
stream.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1
})
stream.on('test:pass', ({ name, file, skip }) => {
  if (skip !== undefined && skip !== false)
    skipped.push(`${relative('.', file ?? '')}: ${name}: ${skip === true ? 'no reason given' : skip}`)
})
stream.compose(spec).on('end', printSkipped).pipe(process.stdout)

function chosenFiles(): readonly string[] {
  const chosen = globSync(['test/**/*.test.ts', 'examples/**/*.test.ts'])
    .filter((file) => file.startsWith('test/soak/') === soak)
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort()
  const slowOnes = slow.map((place) => chosen.filter((file) => file.startsWith(place)))
  return [...mixed(slowOnes), ...chosen.filter((file) => !slowOnes.flat().includes(file))]
}

/** All groups spread over the same time, so that those who wait run beside those who work. What is short comes after them: no core waits long for the other. */
function mixed(groups: readonly (readonly string[])[]): readonly string[] {
  return groups
    .flatMap((group) => group.map((file, index) => ({ file, at: index / group.length })))
    .toSorted((one, other) => one.at - other.at)
    .map(({ file }) => file)
}

/**
 * What V8 has compiled, and TypeScript that was stripped, is kept from one file and one run to the next: every file, and every process of a service under
 * test, begins with the whole of Macaron.
 */
function shareCompiledCode(folder: string): void {
  process.env.NODE_COMPILE_CACHE ??= resolve(folder)
  mkdirSync(folder, { recursive: true })
  // The services that tests write have new paths each time, which nobody will ask for again.
  if (readdirSync(folder, { recursive: true }).length > 20_000) {
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
  }
  // Some services under test run as another user.
  chmodSync(folder, 0o1777)
}

/** Files, and the tests in them, in an order made from a seed that is printed, so that a failing order can be had again. */
function randomOrder(): { randomize?: true; randomSeed?: number } {
  if (values['random-order'] !== true && values.seed === undefined) return {}
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
  console.log(`test: random order, again with --seed ${seed}`)
  return { randomize: true, randomSeed: seed }
}

function printSkipped(): void {
  if (skipped.length === 0) return
  process.stdout.write(`\nSkipped tests and why:\n${skipped.map((line) => `  ${line}\n`).join('')}`)
}
