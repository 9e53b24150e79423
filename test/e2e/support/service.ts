import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { until } from '../../support/until.ts'
import { atEnd, type Ending } from './at-end.ts'
import { bin, type CliAnswer, cleanEnvironment, cli, documents } from './cli.ts'
import { copyOf, type FolderOptions } from './folders.ts'
import { type KillRule, killAtVariable } from './kill-plan.ts'
import { markVariable, openFiles, processesOf, type Role, signal } from './processes.ts'
import { type Run, RunsFile } from './runs.ts'
import { storeFile, unsettled } from './store-file.ts'

export interface StartOptions extends FolderOptions {
  /** Default `start`. */
  readonly command?: 'start' | 'serve' | 'work' | 'dev'
  /** A service folder that is there already, instead of a new copy of `fixture`. */
  readonly folder?: string
  /** Default `bench`. */
  readonly fixture?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
  readonly kill?: readonly KillRule[]
  readonly seed?: number
  readonly uid?: number
  /** A program with its arguments that runs the command. */
  readonly through?: readonly string[]
  /** Nobody reads what it says. */
  readonly deaf?: boolean
  /** Whether to wait until it serves or works. Default true. */
  readonly wait?: boolean
}

/** A task as `macaron tasks ls --json` shows it. */
export interface Listed {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly reason?: string
  readonly queue: string
  readonly priority: number
  readonly attempts: number
  readonly crashes: number
  readonly error?: { readonly code?: string; readonly message: string }
  readonly args: unknown
  readonly result?: unknown
  readonly runAt?: string
  readonly startedAt?: string
  readonly settledAt?: string
}

/** Starts the real command on a copy of a fixture service, in a process group of its own. Everything is killed when the test ends. */
export async function startService(test: Ending, options: StartOptions = {}): Promise<RunningService> {
  const folder = options.folder ?? copyOf(test, options.fixture ?? 'bench', options)
  const port = options.port ?? (await freePort())
  const service = new RunningService(folder, port, options)
  atEnd(test, () => service.end())
  if (options.wait !== false) await service.ready()
  return service
}

export class RunningService {
  readonly folder: string
  readonly port: number
  readonly mark = randomUUID()
  readonly #command: string
  readonly #process: ChildProcess
  readonly #exit: Promise<number | null>
  readonly #runs: RunsFile
  #output = ''

  constructor(folder: string, port: number, options: StartOptions) {
    const { command = 'start', uid } = options
    this.folder = folder
    this.#runs = new RunsFile(join(folder, 'runs.ndjson'))
    this.port = port
    this.#command = command
    const listen = command === 'work' ? [] : ['--port', String(port), '--host', '127.0.0.1']
    const [program = '', ...args] = [...(options.through ?? []), process.execPath, bin, command]
    this.#process = spawn(program, [...args, '--service', folder, ...listen], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(), ...killing(folder, options), ...options.env, [markVariable]: this.mark },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    const keep = (text: string): void => {
      this.#output += text
    }
    this.#process.stdout?.setEncoding('utf8').on('data', keep)
    this.#process.stderr?.setEncoding('utf8').on('data', keep)
    if (options.deaf) for (const stream of [this.#process.stdout, this.#process.stderr]) stream?.destroy()
    this.#exit = once(this.#process, 'exit').then(([code]) => (typeof code === 'number' ? code : null))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** All it has printed so far, logs included. */
  get output(): string {
    return this.#output
  }

  /** Until it has printed something like this: what a process writes may be read a moment after it has answered. */
  async says(pattern: RegExp): Promise<void> {
    await until(() => pattern.test(this.#output), {
      what: `the service to say ${pattern}`,
      timeoutMs: 5000,
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${this.#output}`)
    })
  }

  /** The pid of the command itself, which leads the process group. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** The command's exit code; null when a signal ended it. */
  get exit(): Promise<number | null> {
    return this.#exit
  }

  /** Until it serves, or its worker runs. */
  async ready(): Promise<void> {
    let ended = false
    void this.#exit.then(() => (ended = true))
    await until(
      async () => {
        if (ended) throw new Error(`It ended instead of starting:\n${this.#output}`)
        return this.#command === 'work' ? this.#output.includes('Runs tasks in') : this.#isServing()
      },
      { what: `the service to be ready; it said:\n${this.#output}`, timeoutMs: 60_000, everyMs: 25 },
    )
  }

  async #isServing(): Promise<boolean> {
    const live = await fetch(`${this.url}/health/live`).catch(() => undefined)
    if (!live?.ok) return false
    return this.#command === 'serve' || this.#output.includes('Runs tasks in') || !this.#runsTasks()
  }

  #runsTasks(): boolean {
    const files = ['macaron.yaml', 'pym-config.yaml'].map((name) => join(this.folder, name))
    return files.some((file) => existsSync(file) && /^with_async: true/m.test(readFileSync(file, 'utf8')))
  }

  pids(role: Role): readonly number[] {
    return processesOf(this.mark)
      .filter((found) => found.role === role)
      .map((found) => found.pid)
  }

  /** The pid of the only process of a role, once there is one. */
  async pidOf(role: Role): Promise<number> {
    return await until(() => this.pids(role)[0], { what: `a ${role} process` })
  }

  openFiles(role: Role): number {
    return this.pids(role).reduce((sum, pid) => sum + openFiles(pid), 0)
  }

  /** A signal to the whole process group, as a terminal's Ctrl-C is. */
  signalGroup(name: NodeJS.Signals): void {
    signal(-this.pid, name)
  }

  /** Kills every process of it at once, whether or not its parent lives. */
  killAll(): void {
    for (const { pid } of processesOf(this.mark)) signal(pid, 'SIGKILL')
  }

  /** The same, and waits until they are gone. */
  async end(): Promise<void> {
    this.killAll()
    await until(() => this.isGone(), { what: 'every process to be gone' })
  }

  /** Whether any of its processes lives. */
  isGone(): boolean {
    return processesOf(this.mark).length === 0
  }

  /** Its living processes, for people. */
  left(): string {
    return processesOf(this.mark)
      .map(({ role, pid }) => `${role} ${pid}`)
      .join(', ')
  }

  runs(): readonly Run[] {
    return this.#runs.runs()
  }

  /** The kills asked for that have happened, each as its rule's place in the list and its turn. */
  kills(): readonly string[] {
    const folder = marksFolder(this.folder)
    return existsSync(folder) ? readdirSync(folder) : []
  }

  /** What it says of itself now, for people. */
  async describe(): Promise<string> {
    const health = await this.get('/health/ready').catch((error: Error) => ({ body: error.message }))
    return `left: ${this.left()}; health: ${JSON.stringify(health.body)}; it said:\n${this.output.slice(-10_000)}`
  }

  cli(...args: readonly string[]): Promise<CliAnswer> {
    return cli([...args, '--service', this.folder])
  }

  async tasks(...filter: readonly string[]): Promise<readonly Listed[]> {
    const answer = await this.cli('tasks', 'ls', '--json', '--args', '--limit', '999999', ...filter)
    if (answer.code !== 0) throw new Error(`macaron tasks ls failed: ${answer.stderr}`)
    return documents<Listed>(answer)
  }

  /**
   * Until every task has ended, in whatever way, but for so many; a backlog may take its time as long as it shrinks. Looks into the store: a
   * command that is started again and again would take the time of those that work.
   */
  async settled({ but = 0 } = {}): Promise<void> {
    const own = existsSync(storeFile(this.folder))
    let least = Number.POSITIVE_INFINITY
    let shrankAt = performance.now()
    const hasSettled = async () => {
      const left = own ? unsettled(this.folder) : await this.#underWay()
      if (left !== undefined && left < least) {
        least = left
        shrankAt = performance.now()
      }
      if (performance.now() - shrankAt > 60_000) throw new Error(`No task of ${left} has ended for 60 s`)
      return left === but
    }
    await until(hasSettled, { what: 'every task to have ended', timeoutMs: 600_000, everyMs: 20 })
  }

  /** The tasks of a store that is elsewhere, as health counts them; unknown while the server is being started again. */
  async #underWay(): Promise<number | undefined> {
    const answer = await this.get('/health/ready').catch(() => undefined)
    return answer && Number(answer.body.waiting) + Number(answer.body.running)
  }

  /** Sends the JSON body to an operation; the answer's body is parsed. */
  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return await answerOf(response)
  }

  async get(path: string): Promise<Answer> {
    return await answerOf(await fetch(`${this.url}${path}`))
  }

  /** Fires a task of the fixture `bench`. */
  async fire(task: string, args: readonly unknown[], more: object = {}): Promise<Answer> {
    return await this.post('/fire', { task, args, ...more })
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    readonly ids?: readonly string[]
    readonly error?: string
    readonly [key: string]: unknown
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

function killing(folder: string, { kill, seed = 1 }: StartOptions): Record<string, string> {
  if (kill === undefined) return {}
  const marks = marksFolder(folder)
  mkdirSync(marks, { recursive: true })
  return {
    NODE_OPTIONS: `--import ${new URL('./kill-at.ts', import.meta.url).href}`,
    [killAtVariable]: JSON.stringify({ folder: marks, seed, rules: kill }),
  }
}

function marksFolder(folder: string): string {
  return join(folder, 'kills')
}

/** Writes a file into a service's folder. */
export function writeFileIn(folder: string, path: string, text: string): void {
  writeFileSync(join(folder, path), text)
}
