import type { Context } from '../core/context.ts'
import type { Engine } from '../engines/engine.ts'
import type { Task } from '../tasks/async-task.ts'
import { decode } from '../tasks/codec.ts'
import { readContext } from '../tasks/context-message.ts'
import { TaskHandle } from '../tasks/handle.ts'
import type { TaskMessage } from '../tasks/message.ts'
import type { CheckedOptions } from '../tasks/options.ts'
import type { TaskRuntime } from '../tasks/runtime.ts'
import { readOptions } from '../tasks/stored-options.ts'
import type { FaultPlan } from './faults.ts'

/** A task, whatever its arguments. */
export type AnyTask = Pick<Task<never, unknown>, 'taskName'>

/** What a task will be told of its caller. */
export type FiredContext = Pick<
  Context,
  'callId' | 'user' | 'request' | 'token' | 'trace' | 'traceState' | 'values'
>

/** One call of a task that was stored. */
export interface FiredTask<Args, Result> {
  readonly id: string
  readonly name: string
  /** As the task will get them: through the codec, models as models. */
  readonly args: Args
  readonly context: FiredContext
  /** The task's options with those of the call over them; times in ms. */
  readonly options: CheckedOptions
  readonly firedAt: Date
  /** Not before this time. */
  readonly runAt: Date
  /** The id of the task that fired it; undefined where a request or script did. */
  readonly firedBy: string | undefined
  /** Status, result and cancel, as the code that fired it has them. */
  readonly handle: TaskHandle<Result>
}

/** Notes every task that is stored for one service, in that order. */
export class FiredLog {
  readonly #entries: Entry[] = []
  #whenAdded = Promise.withResolvers<void>()

  add(messages: readonly TaskMessage[], firedBy?: string): void {
    for (const message of messages) this.#entries.push({ message, firedBy })
    this.#whenAdded.resolve()
    this.#whenAdded = Promise.withResolvers()
  }

  /** Those of one name, or all. */
  of(name: string | undefined): readonly Entry[] {
    return this.#entries.filter(({ message }) => name === undefined || message.name === name)
  }

  /** Resolves at the next one. */
  added(): Promise<void> {
    return this.#whenAdded.promise
  }
}

interface Entry {
  readonly message: TaskMessage
  readonly firedBy: string | undefined
}

/** The engine that a service fires into: what it stores is noted, and goes wrong as planned. */
export function watchedEngine(engine: Engine, { log, faults }: { log: FiredLog; faults: FaultPlan }): Engine {
  return {
    abilities: engine.abilities,
    enqueue: (batch) =>
      faults.write(async () => {
        const answers = await engine.enqueue(batch)
        log.add(batch.filter((_, index) => answers[index]?.stored))
        return answers
      }),
    consume: (consumer) => engine.consume(consumer),
    cancel: (id) => engine.cancel(id),
    retry: (id) => engine.retry(id),
    remove: (id) => engine.remove(id),
    purge: (options) => engine.purge(options),
    find: (id) => engine.find(id),
    list: (filter) => engine.list(filter),
    counts: () => engine.counts(),
    watch: (id, listener) => engine.watch(id, listener),
    workers: () => engine.workers(),
    health: () => engine.health(),
    close: () => engine.close(),
  }
}

/** A stored call, read the way an executor reads it. */
export function firedTask({ message, firedBy }: Entry, runtime: TaskRuntime): FiredTask<unknown, unknown> {
  const { id, name, firedAt, runAt } = message
  return {
    id,
    name,
    args: decode(message.args, runtime.models),
    context: readContext(runtime.seal.open(message), runtime.models),
    options: readOptions(message.options),
    firedAt: new Date(firedAt),
    runAt: new Date(Math.max(firedAt, runAt)),
    firedBy,
    handle: new TaskHandle(message, runtime, {}),
  }
}
