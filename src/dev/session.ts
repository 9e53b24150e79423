import type { Config } from '../config.ts'
import type { Settings } from '../config-keys.ts'
import { codeOf, describeFailure } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Stoppable } from '../core/lifecycle.ts'
import { EarlyEnd } from '../supervisor/child-end.ts'
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
 */
export class Session implements Stoppable {
  readonly #options: SessionOptions
  readonly #lobby = new Lobby()
  readonly #spares = new Spares()
  /** Generations that have been replaced and still end. */
  readonly #ending = new Set<Promise<void>>()
  #current: Generation | undefined
  #coming: Generation | undefined
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
    void this.#coming?.kill()
    this.#attempt ??= this.#untilGranted()
  }

  /** Stops everything in good order. */
  async stop(): Promise<void> {
    await this.#end((generation) => generation.stop())
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    await this.#end((generation) => generation.kill())
  }

  async #end(end: (generation: Generation) => Promise<void>): Promise<void> {
    this.#over = true
    this.#wish++
    clearTimeout(this.#retry)
    this.#lobby.close()
    await Promise.all([
      this.#spares.end(),
      this.#coming?.kill(),
      this.#current === undefined ? undefined : end(this.#current),
      ...this.#ending,
    ])
    await this.#attempt
  }

  async #untilGranted(): Promise<void> {
    for (let tried = 0; tried !== this.#wish && !this.#over; ) {
      tried = this.#wish
      await this.#try(tried)
    }
    this.#attempt = undefined
  }

  async #try(wish: number): Promise<void> {
    const began = performance.now()
    try {
      const config = this.#options.readConfig()
      await this.#lobby.open(config)
      this.#coming = this.#generation(config)
      const said = await this.#coming.loaded()
      if (wish !== this.#wish) return
      await this.#takeOver(this.#coming, wish)
      this.#tell({ config, said, ms: performance.now() - began })
    } catch (error) {
      if (wish === this.#wish) this.#fail(error)
    } finally {
      if (this.#coming !== this.#current) this.#retire(this.#coming, (generation) => generation.kill())
      this.#coming = undefined
    }
  }

  #generation(config: Config): Generation {
    const { overrides, onLoaded } = this.#options
    const generation: Generation = new Generation({
      config,
      overrides,
      port: this.#lobby.port,
      spares: this.#spares,
      onLoaded,
      onServerDied: () => this.#serverDied(generation),
      onServerBack: () => {
        if (generation === this.#current && this.#attempt === undefined) this.#admit()
      },
    })
    return generation
  }

  /** The earlier worker has taken its last task before the new server fires its first: nothing that new code fires runs as old code. */
  async #takeOver(next: Generation, wish: number): Promise<void> {
    const earlier = this.#current
    await earlier?.pauseTasks()
    this.#current = next
    this.#broken = undefined
    if (wish === this.#wish) this.#admit()
    this.#retire(earlier, (generation) => generation.stop())
    // Spares when nothing else is left to start.
    void next.settle().then(() => {
      if (next === this.#current && !this.#over) this.#spares.prepare(next.roles)
    })
  }

  #admit(): void {
    if (this.#current?.server !== undefined) this.#lobby.admitTo(this.#current.server)
    // It has died: requests wait until another is in its place.
    else this.#lobby.hold()
  }

  #fail(error: unknown): void {
    const { message, said } = failureOf(error)
    const known = message === this.#broken
    this.#broken = message
    if (this.#current === undefined) this.#lobby.refuse(message)
    else this.#admit()
    if (!known) {
      if (!said) process.stderr.write(`${message}\n`)
      emit('dev.broken', { serving: this.#current !== undefined })
    }
    this.#spares.prepare(['server'])
    // Nothing changes in a file when another process frees the port.
    if (codeOf(error) === 'PORT_IN_USE') this.#retry = setTimeout(() => this.reload(), retryMs)
  }

  /** The files as they are now are known not to run, so there is no use in starting the next one from them. */
  #serverDied(generation: Generation): void {
    if (generation !== this.#current || this.#broken === undefined || this.#over) return
    this.#current = undefined
    this.#retire(generation, (dead) => dead.stop())
    this.#lobby.refuse(this.#broken)
    emit('dev.broken', { serving: false })
  }

  #tell({ config, said, ms }: { config: Config; said: object; ms: number }): void {
    const { port } = this.#lobby
    if (port === this.#announced) emit('dev.reloaded', { ms })
    else this.#options.onUp(config, { ...said, port })
    this.#announced = port
  }

  #retire(generation: Generation | undefined, end: (generation: Generation) => Promise<void>): void {
    if (generation === undefined) return
    const ending = end(generation)
    this.#ending.add(ending)
    void ending.then(() => this.#ending.delete(ending))
  }
}

/** What to tell of a failure, and whether a process has said so on standard error already. */
function failureOf(error: unknown): { message: string; said: boolean } {
  if (error instanceof EarlyEnd && error.reason !== undefined) return { message: error.reason, said: true }
  return { message: describeFailure(error), said: false }
}

const retryMs = 1_000
