import { randomUUID } from 'node:crypto'
import { asyncOff } from '../async-off.ts'
import type { Tokens } from '../auth/tokens.ts'
import { type Config, type ConfigOptions, useConfig } from '../config.ts'
import { withClock } from '../core/clock.ts'
import { contextOf, type User } from '../core/context.ts'
import { type Duration, milliseconds } from '../core/duration.ts'
import { MacaronError } from '../core/errors.ts'
import { type Stoppable, stopAll } from '../core/lifecycle.ts'
import { buildHttp } from '../http/server.ts'
import { runInScope } from '../open-service.ts'
import { assembleServer } from '../roles.ts'
import { SpecNotes } from '../spec/notes.ts'
import { type TaskRuntime, withRuntime } from '../tasks/runtime.ts'
import { tokensOf } from '../tokens.ts'
import { TestClient, type Way } from './client.ts'
import type { Faults } from './faults.ts'
import { openTaskSide, type TaskSide } from './task-side.ts'
import type { TestTasks } from './tasks.ts'
import { TestClock } from './test-clock.ts'
import { testConfig } from './test-config.ts'
import { TestStore } from './test-store.ts'

export interface TestServiceOptions {
  /** The service's folder. Default: the current one. */
  readonly folder?: string | URL
  /** Settings over those of the service's file. */
  readonly config?: NonNullable<ConfigOptions['overrides']>
  /** Environment variables over those of this process. */
  readonly environment?: Readonly<Record<string, string>>
  /** What the clock shows at first. Default: the time now. */
  readonly now?: Date | number
}

/**
 * Opens a service for tests, in this process: its real specs, checks, tokens, handlers, scopes, codec and seal, the SQLite engine on an empty store in memory,
 * and tasks that run when the test says so. No port, no file, no other process, no waiting.
 * @throws SetupError with every fault of the service's files, each with file and line.
 */
export async function testService(given: string | URL | TestServiceOptions = {}): Promise<TestService> {
  const options = typeof given === 'string' || given instanceof URL ? { folder: given } : given
  const config = useConfig(testConfig(options))
  const clock = new TestClock(Number(options.now ?? Date.now()), async () => parts.taskSide?.expire())
  const now = () => clock.now()
  const store = new TestStore(now)
  const server = await assembleServer(config, {
    role: 'test',
    notes: new SpecNotes(),
    openStore: () => store.open(),
    openHttp: buildHttp,
  }).catch((error) => {
    store.close()
    throw error
  })
  const { runtime, reporter, http } = server
  const inside = <T>(fn: () => T): T => withClock(now, () => withRuntime(runtime ?? 'off', fn))
  const taskSide =
    runtime === undefined ? undefined : await openTaskSide({ store, runtime, reporter, now, inside })
  const parts: Parts = {
    config,
    inject: http.inject,
    inside,
    clock,
    store,
    runtime,
    taskSide,
    server,
    tokens: tokensOf(config),
  }
  return new TestService(parts)
}

interface Parts extends Way {
  readonly config: Config
  readonly clock: TestClock
  readonly store: TestStore
  readonly runtime: TaskRuntime | undefined
  readonly taskSide: TaskSide | undefined
  readonly server: Stoppable
  readonly tokens: Tokens
}

/** A service under test. Its own `get`, `post` and so on send anonymous requests. */
export class TestService extends TestClient implements AsyncDisposable {
  /** Stands still until the test moves it. */
  readonly clock: TestClock
  readonly #parts: Parts
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    super({ inject: parts.inject, inside: (fn) => this.#inside(fn) })
    this.clock = parts.clock
    this.#parts = parts
  }

  /** What was fired, and running it. @throws SetupError `ASYNC_OFF` where the service runs no tasks. */
  get tasks(): TestTasks {
    return this.#taskSide.tasks
  }

  /** What shall go wrong. @throws SetupError `ASYNC_OFF` as above. */
  get faults(): Faults {
    return this.#taskSide.faults
  }

  /** A client whose requests carry a valid token of this user: an id, or claims with `sub`. */
  as(user: string | User): TestClient {
    const { inject } = this.#parts
    return new TestClient({ inject, inside: (fn) => this.#inside(fn), token: () => this.token(user) })
  }

  /**
   * A token of this user, valid from now on by the service's clock; default for a day. Expired ones are refused 300 s later.
   * @throws MacaronError `BAD_TOKEN_OPTIONS`, `BAD_DURATION`.
   */
  async token(user: string | User, options: { readonly expiresIn?: Duration } = {}): Promise<string> {
    const { sub = '', ...data } = typeof user === 'string' ? { sub: user } : user
    const expiresIn = milliseconds(options.expiresIn ?? '1d', 'expiresIn') / 1000
    return await this.#inside(() => this.#parts.tokens.sign({ userId: sub, data, expiresIn }))
  }

  /**
   * Runs `fn` as a script does: in a scope of its own, for nobody or for `user`. What it fires is stored when it has returned.
   * @throws StoreError when that can't be stored, and whatever `fn` throws.
   */
  async run<T>(fn: () => T | Promise<T>, options: { readonly user?: User } = {}): Promise<T> {
    const context = contextOf(randomUUID(), options.user)
    return await this.#inside(() => runInScope(fn, context, this.#parts.runtime))
  }

  /** Ends it and forgets its store; what is asked of it from here on throws `TEST_SERVICE_CLOSED`. Also done by `await using`. Idempotent. */
  close(): Promise<void> {
    const { store, server, taskSide } = this.#parts
    const worker = taskSide === undefined ? [] : [taskSide]
    this.#closing ??= stopAll([{ stop: async () => store.close() }, server, ...worker])
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #inside<T>(fn: () => T): T {
    this.#refuseClosed()
    return this.#parts.inside(fn)
  }

  get #taskSide(): TaskSide {
    this.#refuseClosed()
    const { taskSide, config } = this.#parts
    if (taskSide === undefined) throw asyncOff(config)
    return taskSide
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return
    throw new MacaronError(
      'TEST_SERVICE_CLOSED',
      'This service under test was closed: is an `await` missing before something that uses it?',
    )
  }
}
