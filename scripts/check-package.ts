import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { until } from '../test/support/until.ts'
import { canListProcesses, processesIn } from './package/processes.ts'
import { writeService } from './package/service.ts'

/**
 * What a user does first, with the packed tarball: installs it in an empty folder, writes a service with a handler and a task in
 * `.ts`, starts it, fires the task, presses Ctrl-C, has the types checked. Fails where a step does, or where something is left running.
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
} finally {
  for (const { pid } of leftRunning()) process.kill(pid, 'SIGKILL')
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}

function tarball(): string {
  const file = readdirSync(scratch).find((name) => name.endsWith('.tgz'))
  if (file === undefined) throw new Error('npm pack has made no tarball')
  return join(scratch, file)
}

async function startFireStop(): Promise<void> {
  const port = await freePort()
  // Its own process group, as in a terminal: Ctrl-C goes to all of it.
  const started = spawn('npx', ['macaron', 'start', '--port', String(port)], {
    cwd: service,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = outputOf(started)
  try {
    await fireAndWait(port, started)
    await pressCtrlC(started)
  } catch (error) {
    console.error(`check-package: what the service printed:\n${output.join('')}`)
    throw error
  }
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

async function pressCtrlC(started: ChildProcess): Promise<void> {
  const exited = once(started, 'exit', { signal: AbortSignal.timeout(20_000) })
  if (started.pid !== undefined) process.kill(-started.pid, 'SIGINT')
  await exited
  if (!canListProcesses)
    return console.log('check-package: this system has no /proc: not looked for processes left running')
  await until(() => leftRunning().length === 0, { what: 'everything to have ended', timeoutMs: 5000 }).catch(
    () => {
      throw new Error(
        `left running:\n${leftRunning()
          .map(({ pid, command }) => `${pid} ${command}`)
          .join('\n')}`,
      )
    },
  )
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

function leftRunning(): ReturnType<typeof processesIn> {
  return canListProcesses ? processesIn(scratch) : []
}

function npm(cwd: string, ...args: readonly string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}

function outputOf(child: ChildProcess): readonly string[] {
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)))
  return output
}
