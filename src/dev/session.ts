import type { Config } from '../config.ts'
import type { Settings } from '../config-keys.ts'
import { codeOf, describeFailure } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import { writeError } from '../core/standard-output.ts'
import { EarlyEnd, setupExitCode } from '../supervisor/child-end.ts'
import { Generation } from './generation.ts'
import { Lobby } from './lobby.ts'
import { Spares } from './spares.ts'

export interface SessionOptions {
  /** Reads the configuration anew. @throws SetupError. */
  readConfig(): Config
  /** What the command line said; the processes read it over the file. */
  readonly overrides: Partial<Settings>
  /** A module of the user's was loaded from this file. */
  onLoaded(file: string): void
  /** The service answers at a port it did not answer at before; `server` is what its server has said of itself. */
  onUp(config: Config, server: object): void
}

/**
 * A service under development: one generation of its processes serves while the next one loads. The next takes over when its server is ready; if
 * it never is, the earlier one goes on.
 *
 * A generation is coming, then current, then ending; or ending at once, where it never serves. Each move is made in one turn. Once the session is
 * over none is begun, and those that are ending start nothing.
 */
export class Session implements Stoppable {
  readonly #options: SessionOptions
  readonly #lobby = new Lobby()
  readonly #spares = new Spares()
  #coming: Generation | undefined
  #current: Generation | undefined
  readonly #ending = new Map<Generation, Promise<void>>()
  /** Counts the wishes to reload; an attempt for an earlier one is void. */
  #wish = 0
  #attempt: Promise<void> | undefined
  #broken: string | undefined
  #announced = 0
  #retry: NodeJS.Timeout | undefined
  #over = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Runs the files as they are now. Requests wait until it is known whether that works. */
  reload(): void {
    if (this.#over) return
    this.#wish++
    clearTimeout(this.#retry)
    this.#lobby.hold()
    this.#giveUpComing()
    this.#attempt ??= this.#untilGranted()
  }

  /** Stops everything in good order. */
  async stop(): Promise<void> {
    await this.#end((generation) => generation.stop())
  }

  /** Ends everything at once, also what a stop still waits for. */
  async kill(): Promise<void> {
    await this.#end((generation) => generation.kill())
  }

  async #end(end: (generation: Generation) => Promise<void>): Promise<void> {
    this.#over = true
    this.#wish++
    clearTimeout(this.#retry)
    this.#lobby.close()
    this.#giveUpComing()
    if (this.#current !== undefined) this.#retire(this.#current, end)
    this.#current = undefined
    const ended = [...this.#ending.keys()].map(end)
    await Promise.all([...ended, ...this.#ending.values(), this.#spares.end(), this.#attempt])
  }

  async #untilGranted(): Promise<void> {
    for (let tried = 0; tried !== this.#wish && !this.#over; ) {
      tried = this.#wish
      await this.#try(tried)
    }
    this.#attempt = undefined
    this.#receive()
  }

  async #try(wish: number): Promise<void> {
    const began = performance.now()
    try {
      const config = this.#options.readConfig()
      await this.#lobby.open(config)
      if (wish !== this.#wish) return
      const next = this.#begin(config)
      const said = await next.loaded()
      if (wish !== this.#wish) return
      await this.#takeOver(next)
      if (wish === this.#wish) this.#tell({ config, said, ms: performance.now() - began })
    } catch (error) {
      if (wish === this.#wish) this.#fail(error)
    }
  }

  #begin(config: Config): Generation {
    const { overrides, onLoaded } = this.#options
    const generation: Generation = new Generation({
      config,
      overrides,
      port: this.#lobby.port,
      spares: this.#spares,
      onLoaded,
      onServerDied: () => this.#serverDied(generation),
      onServerBack: () => this.#receive(),
    })
    this.#coming = generation
    return generation
  }

  /** A wish that has come before it could take over, or the end. */
  #giveUpComing(): void {
    const coming = this.#coming
    this.#coming = undefined
    if (coming !== undefined) this.#retire(coming, (generation) => generation.kill())
  }

  /**
   * The earlier worker has taken its last task before the new server gets its first request: nothing that new code fires runs as old code. A wish that
   * comes meanwhile waits for the end of it: what it makes may not run, and then this one goes on.
   */
  async #takeOver(next: Generation): Promise<void> {
    const earlier = this.#current
    this.#coming = undefined
    this.#current = next
    this.#broken = undefined
    if (earlier !== undefined) {
      const paused = earlier.pauseTasks()
      this.#retire(earlier, () => paused.then(() => earlier.stop()))
      await paused
    }
    // Spares when nothing else is left to start.
    void next.settle().then(() => {
      if (next === this.#current) this.#spares.prepare(next.roles)
    })
  }

  /** What becomes of requests while no reload is under way. */
  #receive(): void {
    if (this.#over || this.#attempt !== undefined) return
    if (this.#current?.server !== undefined) this.#lobby.admitTo(this.#current.server)
    else if (this.#current === undefined && this.#broken !== undefined) this.#lobby.refuse(this.#broken)
    // It has died: requests wait until another is in its place.
    else this.#lobby.hold()
  }

  #fail(error: unknown): void {
    this.#giveUpComing()
    const { message, said } = failureOf(error)
    const known = message === this.#broken
    this.#broken = message
    if (!known) {
      if (!said) writeError(`${message}\n`)
      emit('dev.broken', { serving: this.#current !== undefined })
    }
    this.#spares.prepare(['server'])
    // Nothing changes in a file when another process frees the port.
    if (codeOf(error) === 'PORT_IN_USE') this.#retry = setTimeout(() => this.reload(), retryMs)
  }

  /** The files as they are now are known not to run, so there is no use in starting the next one from them. */
  #serverDied(generation: Generation): void {
    if (generation !== this.#current || this.#broken === undefined) return
    this.#current = undefined
    this.#retire(generation, (dead) => dead.stop())
    this.#receive()
    emit('dev.broken', { serving: false })
  }

  #tell({ config, said, ms }: { config: Config; said: object; ms: number }): void {
    const { port } = this.#lobby
    if (port === this.#announced) emit('dev.reloaded', { ms })
    else this.#options.onUp(config, { ...said, port })
    this.#announced = port
  }

  #retire(generation: Generation, end: (generation: Generation) => Promise<void>): void {
    const ended = end(generation).finally(() => this.#ending.delete(generation))
    this.#ending.set(generation, ended)
  }
}

/** What to tell of a failure, and whether a process has said so on standard error already. */
function failureOf(error: unknown): { message: string; said: boolean } {
  if (error instanceof EarlyEnd && error.reason !== undefined)
    return { message: error.reason, said: error.exitCode !== setupExitCode }
  return { message: describeFailure(error), said: false }
}

const retryMs = 1_000
