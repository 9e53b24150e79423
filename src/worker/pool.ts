import { asError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { removeTraces } from '../supervisor/alive.ts'
import type { Child } from '../supervisor/child.ts'
import { type ChildEnd, setupExitCode, setupReason } from '../supervisor/child-end.ts'
import { type SupervisedChild, superviseChild } from '../supervisor/supervise.ts'
import type { Ready } from './channel.ts'
import { type ExecutorHandle, type HandleListener, namesOf, type Remains } from './executor-handle.ts'
import { type ExecutorPlan, executorId, startExecutor } from './start-executor.ts'

export interface PoolOptions extends ExecutorPlan {
  readonly executors: number
  /** An executor above this is replaced. Default: none is. */
  readonly maxMemoryMiB?: number
}

export interface PoolListener extends Omit<HandleListener, 'memory'> {
  /** It has ended with this in its hands. */
  gone(handle: ExecutorHandle, remains: Remains, end: ChildEnd): void
  /** An extra one that could not be had may be tried again. */
  mayHaveExtra(): void
}

/**
 * The executors of a worker: keeps the wished number alive, replaces those that have grown too big, and adds one for a suspect that finds none
 * idle. Decides nothing about tasks.
 */
export class Pool {
  readonly #options: PoolOptions
  readonly #listener: PoolListener
  readonly #kept: SupervisedChild[] = []
  readonly #handles = new Set<ExecutorHandle>()
  /** Those that died of what ran in them. */
  readonly #killed = new WeakSet<Child>()
  #extra: ExecutorHandle | undefined
  /** An extra one has died just now, or could not be started: the next has to wait. */
  #extraPause: NodeJS.Timeout | undefined
  #extraTimer: NodeJS.Timeout | undefined
  #count = 0
  #everReady = false
  #stopping = false

  constructor(options: PoolOptions, listener: PoolListener) {
    this.#options = options
    this.#listener = listener
  }

  /** Starts the executors; resolves when one is ready. @throws ChildError when none ever will be. */
  async start(): Promise<void> {
    for (let index = 0; index < this.#options.executors; index++) {
      this.#kept.push(
        superviseChild({
          name: 'executor',
          start: () => this.#begin().child,
          mayGiveUp: () => !this.#everReady,
          longestPauseMs: (child) => (this.#killed.has(child) ? killedPauseMs : undefined),
          // `executor.exit` tells it, with the tasks.
          onExit: () => undefined,
        }),
      )
    }
    try {
      await Promise.any(this.#kept.map((kept) => kept.ready))
    } catch (error) {
      await this.kill()
      throw error instanceof AggregateError ? error.errors[0] : error
    }
  }

  /** All living executors. */
  get handles(): ReadonlySet<ExecutorHandle> {
    return this.#handles
  }

  isExtra(handle: ExecutorHandle): boolean {
    return handle === this.#extra
  }

  /** The names of the tasks that its executors know. */
  names(): readonly string[] {
    return [...new Set([...this.#handles].flatMap(({ ready }) => ready?.names ?? []))]
  }

  /** The ids of the keys that they open seals with. */
  keys(): readonly string[] {
    return [...new Set([...this.#handles].flatMap(({ ready }) => ready?.keys ?? []))]
  }

  /** Makes sure that one executor more than wished is there or on its way. It goes when it has been idle for 10 s. */
  addExtra(): void {
    if (this.#extra !== undefined || this.#extraPause !== undefined) return
    if (this.#stopping || !this.#everReady) return
    try {
      this.#extra = this.#begin()
    } catch (error) {
      emit('notice', { message: `No further executor could be started: ${asError(error).message}` })
      this.#pauseExtra(failedPauseMs)
    }
  }

  /** To be told when an executor's hands have become empty. */
  emptied(handle: ExecutorHandle): void {
    if (handle.retired) void handle.child.stop()
    else if (handle === this.#extra) this.#retireExtraWhenIdle()
  }

  /** Replaces one that does not answer any more and has nothing in hand. */
  giveUp(handle: ExecutorHandle): void {
    if (handle.retired) return
    emit('notice', { message: `${handle.name} has not answered for 10 s with nothing to do; it is replaced` })
    handle.retired = true
    void handle.child.kill()
  }

  /** Each hands back what it has not begun, ends what it has, and is killed at the deadline. */
  stop(): Promise<void> {
    return this.#end((child) => child.stop())
  }

  kill(): Promise<void> {
    return this.#end((child) => child.kill())
  }

  async #end(end: (child: Pick<SupervisedChild, 'stop' | 'kill'>) => Promise<void>): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#extraTimer)
    clearTimeout(this.#extraPause)
    await Promise.all([...this.#kept.map(end), ...[...this.#handles].map(({ child }) => end(child))])
  }

  #begin(): ExecutorHandle {
    const number = ++this.#count
    const { ended, back, available } = this.#listener
    const handle = startExecutor(number, this.#options, {
      ended: ended.bind(this.#listener),
      back: back.bind(this.#listener),
      available: available.bind(this.#listener),
      memory: (grown, rssMiB) => this.#replaceTooBig(grown, rssMiB),
    })
    this.#handles.add(handle)
    const started = performance.now()
    handle.child.ready.then(
      (message) => this.#ready(handle, message, performance.now() - started),
      () => undefined,
    )
    void handle.child.ended.then((end) => this.#gone(handle, number, end))
    return handle
  }

  #ready(handle: ExecutorHandle, message: object, ms: number): void {
    // What executor.ts says when it is ready.
    handle.ready = message as Ready
    this.#everReady = true
    if (handle === this.#extra) this.#retireExtraWhenIdle()
    emit('executor.ready', { executor: handle.name, pid: handle.child.pid, ms })
    this.#listener.available(handle)
  }

  #gone(handle: ExecutorHandle, number: number, end: ChildEnd): void {
    this.#handles.delete(handle)
    const wasExtra = handle === this.#extra
    const remains = handle.remains()
    const isKilled = !end.asked && remains.begun.length > 0
    if (isKilled) this.#killed.add(handle.child)
    if (wasExtra) this.#extra = undefined
    if (wasExtra && !end.asked) this.#pauseExtra(isKilled ? killedPauseMs : failedPauseMs)
    handle.close()
    removeTraces(this.#options.aliveFolder, executorId(this.#options.owner, number))
    const { code, signal, asked } = end
    const tasks = namesOf(remains.begun)
    // Until one is ready, `start` rejects with what is wrong with the files.
    const isTold = !this.#everReady && code === setupExitCode
    if (!asked && !isTold) {
      const reason = setupReason(end)
      emit('executor.exit', { executor: handle.name, pid: handle.child.pid, code, signal, tasks, reason })
    }
    this.#listener.gone(handle, remains, end)
  }

  #pauseExtra(ms: number): void {
    if (this.#stopping) return
    this.#extraPause = setTimeout(() => {
      this.#extraPause = undefined
      this.#listener.mayHaveExtra()
    }, ms)
  }

  /**
   * One that has grown too big gets no more work; the next starts at once. A young one is left alone: it would only go round in circles. So is one while as many as
   * are wished for still end what they have: what is to save memory must not use it up.
   */
  #replaceTooBig(handle: ExecutorHandle, rssMiB: number): void {
    const { maxMemoryMiB = Number.POSITIVE_INFINITY } = this.#options
    if (rssMiB <= maxMemoryMiB || handle.retired || this.#stopping || handle.ageMs < leastAgeMs) return
    if ([...this.#handles].filter(({ retired }) => retired).length >= this.#options.executors) return
    emit('executor.recycled', { executor: handle.name, rssMiB: Math.round(rssMiB) })
    handle.retired = true
    if (handle === this.#extra) this.#extra = undefined
    else this.#kept.find((kept) => kept.current === handle.child)?.replace()
    if (handle.inHand === 0) this.emptied(handle)
  }

  #retireExtraWhenIdle(): void {
    clearTimeout(this.#extraTimer)
    this.#extraTimer = setTimeout(() => {
      const extra = this.#extra
      if (extra === undefined || extra.inHand > 0) return
      this.#extra = undefined
      extra.retired = true
      void extra.child.stop()
    }, extraIdleMs)
  }
}

const extraIdleMs = 10_000
/** An executor is replaced so soon, at the latest, after one that died of a task; starting one takes half a second of a processor. */
const killedPauseMs = 500
const failedPauseMs = 5_000
const leastAgeMs = 2_000
