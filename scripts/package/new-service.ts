import { type ChildProcess, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { running } from './running.ts'

export interface NewServiceOptions {
  /** A folder where the package is installed. */
  readonly installed: string
  readonly tarball: string
  readonly scratch: string
}

/** The README's first ten minutes: `macaron init`, install, tests, checks, `npm run dev`, a task, a change. */
export async function firstTenMinutes({ installed, tarball, scratch }: NewServiceOptions): Promise<void> {
  const folder = join(scratch, 'my-shop')
  run(installed, 'npx', 'macaron', 'init', folder)
  run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund', tarball)
  run(folder, 'npm', 'test')
  run(folder, 'npm', 'run', 'check')
  const port = await freePort()
  const command = ['npm', 'run', 'dev', '--', '--port', String(port)]
  await running({ cwd: folder, command, scratch }, async (started) => {
    await fireAndWait(port, started)
    await changeAndWait(folder, port)
  })
}

async function fireAndWait(port: number, started: ChildProcess): Promise<void> {
  const send = async () => {
    if (started.exitCode !== null) throw new Error(`npm run dev ended with ${started.exitCode}`)
    return await sendCard(port).catch(() => undefined)
  }
  const { id } = await until(send, { what: 'the first card to be taken', timeoutMs: 60_000 })
  const isDone = async () => (await json(port, `/cards/${id}`)).state === 'done'
  await until(isDone, { what: 'the card to be written', timeoutMs: 30_000 })
}

async function changeAndWait(folder: string, port: number): Promise<void> {
  const handlers = join(folder, 'handlers/greetings.ts')
  writeFileSync(handlers, readFileSync(handlers, 'utf8').replace('`Hello, ', '`Good day, '))
  const isNew = async () => (await json(port, '/hello?name=Ada')).message === 'Good day, Ada!'
  await until(isNew, { what: 'the changed handler to answer', timeoutMs: 30_000 })
}

async function sendCard(port: number): Promise<Readonly<Record<string, unknown>>> {
  const card = { to: 'ada@example.com', text: 'Congratulations!' }
  const headers = { 'content-type': 'application/json' }
  return await json(port, '/cards', { method: 'POST', headers, body: JSON.stringify(card) })
}

async function json(
  port: number,
  path: string,
  request: RequestInit = {},
): Promise<Readonly<Record<string, unknown>>> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, request)
  if (!reply.ok) throw new Error(`${path} was answered ${reply.status}: ${await reply.text()}`)
  // An object, by the templates' spec.
  return (await reply.json()) as Readonly<Record<string, unknown>>
}

function run(cwd: string, program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
