import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { until } from '../test/support/until.ts'
import { firstTenMinutes } from './package/new-service.ts'
import { leftRunning, running } from './package/running.ts'
import { writeService } from './package/service.ts'

/**
 * What a user does first, with the packed tarball: installs it in an empty folder, writes a service with a handler and a task in
 * `.ts`, starts it, fires the task, presses Ctrl-C, has the types checked; then the same with a service that `macaron init` makes. Fails where a step does, or
 * where something is left running.
 */
const root = dirname(import.meta.dirname)
const scratch = mkdtempSync(join(tmpdir(), 'macaron-package-'))
const service = join(scratch, 'fresh')

try {
  mkdirSync(service)
  npm(root, 'pack', '--silent', '--pack-destination', scratch)
  npm(service, 'install', '--silent', '--no-audit', '--no-fund', tarball())
  writeService(service)
  await startFireStop()
  checkTypes()
  console.log(
    'check-package: packed, installed, started, fired, stopped with nothing left running, types checked',
  )
  await firstTenMinutes({ installed: service, tarball: tarball(), scratch })
  console.log('check-package: a new service made, installed, tested, checked, developed')
} finally {
  for (const { pid } of leftRunning(scratch)) process.kill(pid, 'SIGKILL')
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}

function tarball(): string {
  const file = readdirSync(scratch).find((name) => name.endsWith('.tgz'))
  if (file === undefined) throw new Error('npm pack has made no tarball')
  return join(scratch, file)
}

async function startFireStop(): Promise<void> {
  const port = await freePort()
  await running(
    { cwd: service, command: ['npx', 'macaron', 'start', '--port', String(port)], scratch },
    (started) => fireAndWait(port, started),
  )
}

async function fireAndWait(port: number, started: ChildProcess): Promise<void> {
  const reply = await until(() => fire(port, started), { what: 'the first reply', timeoutMs: 30_000 })
  if (reply.status !== 200) throw new Error(`fired, and was answered ${reply.status}: ${await reply.text()}`)
  const note = await until(noteIfWritten, { what: 'the task to run' })
  const asked = '{"text":"hello from the endpoint","url":"/notes"'
  if (!note.startsWith(asked))
    throw new Error(`the task ran with something else than what was fired: ${note}`)
}

/** Undefined while nobody listens yet. */
async function fire(port: number, started: ChildProcess): Promise<Response | undefined> {
  if (started.exitCode !== null) throw new Error(`npx macaron start ended with ${started.exitCode}`)
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'hello from the endpoint' }),
  }
  return await fetch(`http://127.0.0.1:${port}/notes`, request).catch(() => undefined)
}

function noteIfWritten(): string | undefined {
  const file = join(service, 'note.json')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text.endsWith('}') ? text : undefined
}

/** The handler against the types that are shipped. This repository lends its compiler and Node's types. */
function checkTypes(): void {
  const options = {
    // An empty folder's package.json names no kind of module, as Node guesses it from the file.
    module: 'preserve',
    target: 'es2024',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    typeRoots: [join(root, 'node_modules', '@types')],
    types: ['node'],
  }
  writeFileSync(
    join(service, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
  )
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', service], { stdio: 'inherit' })
}

function npm(cwd: string, ...args: readonly string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
