import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Stoppable } from '../core/lifecycle.ts'
import { type ChildEnd, endedEarly } from './child-end.ts'
import { Passing } from './passing.ts'

/**
 * One life of a child process: it starts, says `{ type: 'ready' }`, exchanges messages, and ends: gently (the message
 * `{ type: 'stop' }`, then SIGKILL at a deadline) or hard. What runs in it answers with `obeyParent` of signals.ts.
 */
export interface ChildOptions {
  /** For events and messages, such as `server` or `executor 2`. */
  readonly name: string
  /** The module the child runs. */
  readonly entry: string
  readonly args?: readonly string[]
  /** The child's environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Open files the child gets as descriptors 4, 5, … */
  readonly files?: readonly number[]
  /** How long `stop` waits before it kills, in ms. */
  readonly stopTimeoutMs: number
  /** How long `kill` lets the child end its own children first, in ms. Default 0. */
  readonly killGraceMs?: number
  /** A child that is not ready by then is killed. Default 60 s. */
  readonly readyTimeoutMs?: number
  /** Every message but `ready`, `failed` and `taken`, in order. */
  readonly onMessage?: (message: object) => void
}

export interface Child extends Stoppable {
  readonly name: string
  /** 0 where the process could not be started at all. */
  readonly pid: number
  /** Resolves with the ready message; rejects with a ChildError when the child ends before that. */
  readonly ready: Promise<object>
  /** Resolves when the process is gone and everything it has said was read. Never rejects. */
  readonly ended: Promise<ChildEnd>
  /** False when the channel is so full that the sender should wait for `onWritten`, which is always called once. */
  send(message: object, onWritten?: () => void): boolean
  /** Hands over a connection that nothing was read from (`takeConnections` of parent.ts). False when the child can't be reached: it is still the caller's then. */
  pass(connection: Socket): Promise<boolean>
  kill(): Promise<void>
}

/** Starts a child. Failures to start show in `ready` and `ended`. */
export function startChild(options: ChildOptions): Child {
  return new ForkedChild(options)
}

class ForkedChild implements Child {
  readonly name: string
  readonly pid: number
  readonly ready: Promise<object>
  readonly ended: Promise<ChildEnd>
  readonly #options: ChildOptions
  readonly #process: ChildProcess
  readonly #passing: Passing
  readonly #readiness = Promise.withResolvers<object>()
  readonly #ending = Promise.withResolvers<ChildEnd>()
  readonly #readyTimer: NodeJS.Timeout
  #cutOffTimer: NodeJS.Timeout | undefined
  #since = performance.now()
  #wasReady = false
  #reason: string | undefined
  #stopping: Promise<void> | undefined
  #killing: Promise<void> | undefined

  constructor(options: ChildOptions) {
    this.name = options.name
    this.ready = this.#readiness.promise
    this.ended = this.#ending.promise
    this.#options = options
    this.#process = forkChild(options)
    this.#passing = new Passing(this.#process)
    this.pid = this.#process.pid ?? 0
    this.#readyTimer = setTimeout(() => this.#tooSlow(), options.readyTimeoutMs ?? 60_000)
    // Whoever needs it awaits `ready`; for the others `ended` says the same.
    this.ready.catch(() => undefined)
    this.#listen()
  }

  send(message: object, onWritten: () => void = () => undefined): boolean {
    if (this.pid !== 0) return this.#process.send(message, () => onWritten())
    queueMicrotask(onWritten)
    return false
  }

  async pass(connection: Socket): Promise<boolean> {
    return this.pid !== 0 && (await this.#passing.pass(connection))
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#endWithin({ type: 'stop' }, this.#options.stopTimeoutMs)
    return this.#stopping
  }

  kill(): Promise<void> {
    this.#killing ??= this.#endWithin({ type: 'kill' }, this.#options.killGraceMs ?? 0)
    return this.#killing
  }

  async #endWithin(message: object, ms: number): Promise<void> {
    this.#passing.end()
    if (ms === 0) this.#process.kill('SIGKILL')
    else if (this.#process.connected) this.send(message)
    else this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), ms)
    await this.ended
    clearTimeout(timer)
  }

  #listen(): void {
    this.#process.on('message', (message) => this.#hear(message))
    // After the process has ended and its channel was read to the end.
    this.#process.once('close', (code, signal) => this.#finish(code, signal))
    this.#process.once('disconnect', () => this.#cutOff())
    this.#process.on('error', (error) => {
      this.#reason ??= error.message
      if (this.#process.pid === undefined) this.#finish(null, null)
    })
  }

  #hear(message: unknown): void {
    if (typeof message !== 'object' || message === null) return
    const type = 'type' in message ? message.type : undefined
    if (type === 'ready') this.#becomeReady(message)
    else if (type === 'taken') this.#passing.taken()
    else if (type === 'failed') this.#reason = 'message' in message ? String(message.message) : undefined
    else this.#options.onMessage?.(message)
  }

  #becomeReady(message: object): void {
    clearTimeout(this.#readyTimer)
    this.#since = performance.now()
    this.#wasReady = true
    this.#readiness.resolve(message)
  }

  /** Its channel is closed: it has ended (where several end together that may be known first), is ending, or lives on where nothing can reach it any more. */
  #cutOff(): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#cutOffTimer = setTimeout(() => this.#process.kill('SIGKILL'), this.#options.stopTimeoutMs)
  }

  #tooSlow(): void {
    this.#reason = 'it was not ready in time'
    this.#process.kill('SIGKILL')
  }

  #finish(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#readyTimer)
    clearTimeout(this.#cutOffTimer)
    this.#passing.end()
    this.#passing.taken()
    const end: ChildEnd = {
      code,
      signal,
      wasReady: this.#wasReady,
      livedMs: performance.now() - this.#since,
      reason: this.#reason,
      asked: this.#stopping !== undefined || this.#killing !== undefined,
    }
    this.#readiness.reject(endedEarly(this.name, end))
    this.#ending.resolve(end)
  }
}

function forkChild({ entry, args = [], env, files = [] }: ChildOptions): ChildProcess {
  return fork(entry, args, {
    execArgv: [...sourceFlags, ...quietFlags],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...files],
    ...(env === undefined ? {} : { env }),
  })
}

/** Run from its TypeScript sources, the package resolves itself to them in children too. */
const sourceFlags = import.meta.filename.endsWith('.ts') ? ['--conditions=macaron-source'] : []

/** A service's package.json need not have a "type", and nobody needs to be told so at each start. */
const quietFlags = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON']
