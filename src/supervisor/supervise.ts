import { asError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { growingPauseMs } from '../core/growing-pause.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import type { Child } from './child.ts'
import { type ChildEnd, ChildError, endedEarly, setupExitCode, setupReason } from './child-end.ts'

/**
 * Keeps one child alive: starts it, starts the next when it ends, stops it for good. Knows processes, nothing of what they do.
 *
 * A child that ended after it was ready is replaced at once (four times; a life of 10 s forgets earlier ones), later and before
 * that with a growing pause. One that has never been ready is given up after five lives, or at once when it says by exit code
 * that the service's files are at fault.
 */
export interface SuperviseOptions {
  readonly name: string
  /** Begins a life. */
  start(): Child
  /** Asked before giving up. Default: yes. */
  mayGiveUp?(): boolean
  /** The longest pause after this life, in ms. Default: as long as pauses grow, 5 s. */
  longestPauseMs?(child: Child): number | undefined
  /** A life ended that nobody had asked to end. Default: the event `child.exit`. */
  onExit?(child: Child, end: ChildEnd, restartInMs: number | undefined): void
}

export interface SupervisedChild extends Stoppable {
  /** Resolves when a life is ready for the first time; rejects with a ChildError when the child is given up or stopped before. */
  readonly ready: Promise<void>
  /** The life that is kept now; undefined in a pause and after the end. */
  readonly current: Child | undefined
  /** Starts the next life now and keeps that one. The earlier one is its holder's to end; `stop` and `kill` still include it. */
  replace(): void
  /** Ends every life at once. */
  kill(): Promise<void>
}

/** Starts a child and keeps it alive until it is stopped. */
export function superviseChild(options: SuperviseOptions): SupervisedChild {
  return new Supervision(options)
}

class Supervision implements SupervisedChild {
  readonly ready: Promise<void>
  current: Child | undefined
  readonly #options: SuperviseOptions
  readonly #readiness = Promise.withResolvers<void>()
  readonly #lives = new Set<Child>()
  #everReady = false
  #deaths = 0
  #pause: NodeJS.Timeout | undefined
  #over = false

  constructor(options: SuperviseOptions) {
    this.#options = options
    this.ready = this.#readiness.promise
    this.ready.catch(() => undefined)
    this.#begin()
  }

  replace(): void {
    if (this.#over) return
    clearTimeout(this.#pause)
    this.#begin()
  }

  stop(): Promise<void> {
    return this.#finish((child) => child.stop())
  }

  kill(): Promise<void> {
    return this.#finish((child) => child.kill())
  }

  async #finish(end: (child: Child) => Promise<void>): Promise<void> {
    this.#over = true
    clearTimeout(this.#pause)
    await Promise.all([...this.#lives].map(end))
    this.#readiness.reject(
      new ChildError('CHILD_STOPPED', `The ${this.#options.name} was stopped before it was ready`, 0),
    )
  }

  #begin(): void {
    let child: Child
    try {
      child = this.#options.start()
    } catch (error) {
      this.#beginLater(asError(error))
      return
    }
    this.current = child
    this.#lives.add(child)
    child.ready.then(
      () => this.#becomeReady(child),
      () => undefined,
    )
    void child.ended.then((end) => this.#ended(child, end))
  }

  /** What a life needs could not even be made: no room on the disk, no more open files. */
  #beginLater(error: Error): void {
    this.#deaths++
    emit('notice', { message: `The ${this.#options.name} could not be started: ${error.message}` })
    if (!this.#everReady && this.#deaths >= mostFailedStarts) {
      this.#over = true
      this.#readiness.reject(error)
    } else this.#pause = setTimeout(() => this.#begin(), growingPauseMs(this.#deaths))
  }

  #becomeReady(child: Child): void {
    this.#everReady = true
    this.#readiness.resolve()
    emit('child.ready', { child: this.#options.name, pid: child.pid })
  }

  #ended(child: Child, end: ChildEnd): void {
    this.#lives.delete(child)
    // An earlier life, replaced since: its end changes nothing.
    if (child !== this.current) return
    this.current = undefined
    if (this.#over) return
    const restartInMs = this.#restartInMs(child, end)
    // One that gives up over the files is told by whoever waits for it to be ready.
    const isTold = restartInMs === undefined && end.code === setupExitCode
    if (!end.asked && !isTold) this.#tell(child, end, restartInMs)
    if (restartInMs === undefined) this.#giveUp(end)
    else this.#pause = setTimeout(() => this.#begin(), restartInMs)
  }

  /** Undefined: not again. */
  #restartInMs(child: Child, end: ChildEnd): number | undefined {
    this.#deaths = end.livedMs >= steadyMs ? 1 : this.#deaths + 1
    if (!end.wasReady && this.#mustGiveUp(end)) return undefined
    const early = this.#deaths - (end.wasReady ? freeRestarts : 0)
    const longestMs = this.#options.longestPauseMs?.(child) ?? Number.POSITIVE_INFINITY
    return early < 1 ? 0 : Math.min(growingPauseMs(early), longestMs)
  }

  #mustGiveUp(end: ChildEnd): boolean {
    if (this.#everReady || this.#options.mayGiveUp?.() === false) return false
    return end.code === setupExitCode || this.#deaths >= mostFailedStarts
  }

  #giveUp(end: ChildEnd): void {
    this.#over = true
    this.#readiness.reject(endedEarly(this.#options.name, end))
  }

  #tell(child: Child, end: ChildEnd, restartInMs: number | undefined): void {
    const { name, onExit } = this.#options
    if (onExit !== undefined) onExit(child, end, restartInMs)
    else {
      const { code, signal } = end
      emit('child.exit', { child: name, pid: child.pid, code, signal, restartInMs, reason: setupReason(end) })
    }
  }
}

const steadyMs = 10_000
const freeRestarts = 4
const mostFailedStarts = 5
