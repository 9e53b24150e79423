import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { payload } from '../peers/queue.ts'
import { command as macaron } from './built.ts'
import { root, runPlace } from './places.ts'
import { family } from './processes.ts'

/** Keys of macaron.yaml. */
export type Settings = Readonly<Record<string, string | number | boolean>>

/** A copy of the services in `bench/services`, with a store of its own and these settings. */
export function copyService(name: string, settings: Settings = {}): string {
  const folder = runPlace(name)
  cpSync(join(root, 'bench', 'services', name), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.macaron'),
  })
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${value}\n`)
  appendFileSync(join(folder, 'macaron.yaml'), lines.join(''))
  return folder
}

/** The same service on another machine: with the key of the first, and the same settings. */
export function copyAgain(folder: string, name: string, settings: Settings): string {
  const copy = copyService(name, settings)
  cpSync(join(folder, '.macaron', 'seal.key'), join(copy, '.macaron', 'seal.key'))
  return copy
}

/** The body that every POST of the benches sends. */
export const body = JSON.stringify(payload)

/** A service as a user would start it. */
export class Service implements AsyncDisposable {
  readonly folder: string
  readonly port: number
  readonly #child: ChildProcess

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder
    this.port = port
    this.#child = child
  }

  /** Starts `macaron COMMAND` on a folder; resolves as soon as the process is there. */
  static async spawn(folder: string, command: 'start' | 'serve' | 'work'): Promise<Service> {
    const port = await freePort()
    const listen = command === 'work' ? [] : ['--port', String(port)]
    const args = [macaron, command, '--service', folder, ...listen]
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    return new Service(folder, port, child)
  }

  /** The same, resolving with the first reply. */
  static async start(folder: string, command: 'start' | 'serve'): Promise<Service> {
    const service = await Service.spawn(folder, command)
    await service.firstReply()
    return service
  }

  /** Of the process that the user sees; all others descend from it. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`
  }

  async firstReply(): Promise<void> {
    await until(() => this.#answers(), { what: 'the first reply', timeoutMs: 60_000, everyMs: 2 })
  }

  async #answers(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`macaron ended with ${this.#child.exitCode}`)
    const reply = await fetch(this.url('/ping')).catch(() => undefined)
    return reply?.ok === true
  }

  /** Fires one task and waits until it has run: its executors have started. */
  async firstTask(): Promise<void> {
    await this.post('/stamp')
    await until(() => this.waits().length > 0, { what: 'the first task to run', timeoutMs: 60_000 })
  }

  /** How long the stamped tasks have waited, in ms. */
  waits(): readonly number[] {
    const file = join(this.folder, 'waits.txt')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).map(Number) : []
  }

  /** Sends the body to a path. */
  async post(path: string): Promise<void> {
    const reply = await fetch(this.url(path), {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${text}`)
  }

  /** Stores `count` tasks, a thousand a request: no-ops, or what another operation that takes a `count` fires. */
  async fill(count: number, operation = '/fill?'): Promise<void> {
    for (let left = count; left > 0; left -= 1000)
      await this.post(`${operation}count=${Math.min(left, 1000)}`)
  }

  /** Ends all of its processes, hard. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.kill()
    await exited
  }

  kill(): void {
    for (const pid of family(this.pid)) killIfThere(pid)
  }
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended since.
  }
}
