import type { Config } from '../config.ts'
import type { Settings } from '../config-keys.ts'
import { codeOf, MacaronError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import type { Child } from '../supervisor/child.ts'
import { EarlyEnd, setupReason } from '../supervisor/child-end.ts'
import { type SupervisedChild, superviseChild } from '../supervisor/supervise.ts'
import type { DevRole, Spares } from './spares.ts'

export interface GenerationOptions {
  readonly config: Config
  readonly overrides: Partial<Settings>
  /** The port that is held for it. */
  readonly port: number
  readonly spares: Spares
  /** Its server has loaded this module of the user's. */
  onLoaded(file: string): void
  /** Its server has died; another one is ready in its place. */
  onServerDied(): void
  onServerBack(): void
}

/** The processes that run the service's files as they were at one moment: a server, and where tasks run a worker. */
export class Generation implements Stoppable {
  readonly roles: readonly DevRole[]
  readonly #options: GenerationOptions
  readonly #first: Child
  readonly #paused = Promise.withResolvers<void>()
  #server: Child | undefined
  #servers: SupervisedChild | undefined
  #workers: SupervisedChild | undefined
  #tasksRun = false
  #over = false

  /** Starts the server, which loads the files. */
  constructor(options: GenerationOptions) {
    this.#options = options
    this.roles = options.config.with_async ? ['server', 'worker'] : ['server']
    this.#first = this.#start('server')
  }

  /** The server that takes requests; undefined before the first one is ready, and between two. */
  get server(): Child | undefined {
    return this.#server
  }

  /**
   * Resolves with what the server says of itself when it has loaded the files.
   * @throws ChildError when it can't. MacaronError `START_TIMEOUT` when it takes too long.
   */
  async loaded(): Promise<object> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      void this.#first.kill()
    }, longestLoadMs)
    try {
      const said = await this.#first.ready
      this.#server = this.#first
      return said
    } catch (error) {
      throw late ? startTimeout() : error
    } finally {
      clearTimeout(timer)
    }
  }

  /** From here on its processes are kept alive, and its tasks run. Resolves when they do, or can't. Nothing after it was told to end. */
  async settle(): Promise<void> {
    if (this.#over) return
    this.#servers = this.#keepServer()
    if (!this.roles.includes('worker')) return
    this.#workers = superviseChild({ name: 'worker', start: () => this.#start('worker') })
    try {
      await this.#workers.ready
      this.#tasksRun = true
    } catch (error) {
      if (codeOf(error) === 'CHILD_STOPPED') return
      const why = error instanceof EarlyEnd && error.reason !== undefined ? `: ${error.reason}` : ''
      emit('notice', {
        message: `Tasks wait until the next change: their worker could not be started${why}`,
      })
    }
  }

  /** When this resolves, its worker takes no more tasks. What runs may go on for a second, the rest is given back. */
  async pauseTasks(): Promise<void> {
    const workers = this.#workers
    if (workers === undefined) return
    if (!this.#tasksRun) return await workers.kill()
    const timer = Promise.withResolvers<void>()
    const limit = setTimeout(timer.resolve, longestPauseMs)
    await Promise.race([this.#paused.promise, workers.stop(), timer.promise])
    clearTimeout(limit)
  }

  /** Servers first: what they have taken on may still fire tasks. */
  async stop(): Promise<void> {
    this.#over = true
    await (this.#servers ?? this.#first).stop()
    await this.#workers?.stop()
  }

  async kill(): Promise<void> {
    this.#over = true
    await Promise.all([(this.#servers ?? this.#first).kill(), this.#workers?.kill()])
  }

  /** Takes the server that is there into its care. */
  #keepServer(): SupervisedChild {
    let first: Child | undefined = this.#first
    return superviseChild({
      name: 'server',
      start: () => {
        const server = first ?? this.#startAgain()
        first = undefined
        return server
      },
      onExit: (child, end, restartInMs) => {
        this.#server = undefined
        const { code, signal } = end
        emit('child.exit', {
          child: 'server',
          pid: child.pid,
          code,
          signal,
          restartInMs,
          reason: setupReason(end),
        })
        // Not before its keeper has decided what comes next, so that it can be told otherwise.
        queueMicrotask(() => this.#options.onServerDied())
      },
    })
  }

  #startAgain(): Child {
    const server = this.#start('server')
    server.ready.then(
      () => {
        this.#server = server
        this.#options.onServerBack()
      },
      () => undefined,
    )
    return server
  }

  #start(role: DevRole): Child {
    const args = [this.#options.config.folder, JSON.stringify(this.#settings(role))]
    return this.#options.spares.take({ role, args, hear: (message) => this.#hear(message) })
  }

  #settings(role: DevRole): Partial<Settings> {
    const { config, overrides, port } = this.#options
    const tasks = {
      stop_timeout: Math.min(config.stop_timeout, longestStopMs),
      ...(config.values.worker_count === undefined ? { worker_count: 1 } : {}),
    }
    return { ...overrides, port, ...(role === 'worker' ? tasks : {}) }
  }

  #hear(message: object): void {
    if (!('type' in message)) return
    if (message.type === 'paused') this.#paused.resolve()
    if (message.type === 'loaded' && 'file' in message) this.#options.onLoaded(String(message.file))
  }
}

function startTimeout(): MacaronError {
  return new MacaronError(
    'START_TIMEOUT',
    `The service has not started within ${longestLoadMs / 1000} s. A module that it imports may wait for something at its top level.`,
  )
}

/** Whoever has saved a file waits: a task that takes longer is given back, at no cost to it. */
const longestStopMs = 1_000
const longestPauseMs = 2_000
const longestLoadMs = 30_000
