import { now } from '../core/clock.ts'
import { type Context, withContext } from '../core/context.ts'
import { asError, MessageError, TaskError } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import type { Reporter } from '../core/reporter.ts'
import type { Outcome } from '../engines/engine.ts'
import { decode } from '../tasks/codec.ts'
import { attemptContext, readContext } from '../tasks/context-message.ts'
import type { TaskMessage } from '../tasks/message.ts'
import { type CheckedOptions, defaultOptions } from '../tasks/options.ts'
import type { TaskDefinition, TaskRegistry } from '../tasks/registry.ts'
import { encodeResult, unstoredReason } from '../tasks/results.ts'
import { decideOutcome, type Ending } from '../tasks/retry.ts'
import type { TaskRuntime } from '../tasks/runtime.ts'
import { dropScope, takeStaged } from '../tasks/staging.ts'
import { checkColumns, readOptions } from '../tasks/stored-options.ts'
import type { Order } from './channel.ts'

/** What attempts need of the service they run in. */
export interface AttemptTools {
  readonly tasks: Pick<TaskRegistry, 'find' | 'names' | 'nearest'>
  readonly runtime: Pick<TaskRuntime, 'seal' | 'models' | 'maxBytes'>
  /** Told of attempts that end a task in failure. */
  readonly reporter?: Pick<Reporter, 'report'> | undefined
  /** What the reporter was told of keys that are missing: each once, however many tasks were sealed with it. */
  readonly toldOfKeys: Set<string>
}

/** An order whose seal may have been opened beforehand: the text of its context, or why there is none. */
export interface OpenedOrder extends Order {
  readonly opened?: string | MessageError | undefined
}

/** Opens the seals of orders that came together, which costs less than one by one. */
export function openOrders(orders: readonly Order[], { runtime }: AttemptTools): readonly OpenedOrder[] {
  try {
    const opened = runtime.seal.openAll(orders.map(({ message }) => message))
    return orders.map((order, index) => ({ ...order, opened: opened[index] }))
  } catch {
    // There is no key: each attempt ends by saying so.
    return orders
  }
}

/** Runs one attempt of a task, from its stored message to its outcome. Never rejects. */
export async function runAttempt(order: OpenedOrder, tools: AttemptTools): Promise<Outcome> {
  const attempt = new Attempt(order, tools)
  try {
    const text = attempt.openMessage()
    const definition = attempt.findTask()
    const context = attempt.readContext(text)
    const args = attempt.decodeArguments()
    attempt.start(context)
    return attempt.end(attempt.succeeded(await withContext(context, () => definition.fn(...args))))
  } catch (thrown) {
    return attempt.end({ thrown })
  }
}

/** Seals can name any number of keys. Beyond so many each is told once more. */
const mostKeys = 256

class Attempt {
  readonly #order: OpenedOrder
  readonly #tools: AttemptTools
  readonly #began = performance.now()
  #options: CheckedOptions = defaultOptions
  #context: Context | undefined
  #entered = false

  constructor(order: OpenedOrder, tools: AttemptTools) {
    this.#order = order
    this.#tools = tools
  }

  /** Nothing of a message is used before its seal is known to be right. Gives the text of its context. */
  openMessage(): string {
    const { message, opened: text = this.#tools.runtime.seal.open(message) } = this.#order
    if (text instanceof MessageError) throw text
    this.#options = readOptions(message.options)
    checkColumns(message, this.#options)
    return text
  }

  findTask(): TaskDefinition {
    const { name } = this.#order.message
    const definition = this.#tools.tasks.find(name)
    if (definition !== undefined) return definition
    const nearest = this.#tools.tasks.nearest(name)
    const hint = nearest === undefined ? '' : ` The nearest it knows is ${nearest}.`
    throw new MessageError('unknown_task', `This version of the service has no task ${name}.${hint}`)
  }

  readContext(text: string): Context {
    const { message, attempt } = this.#order
    const opened = readContext(text, this.#tools.runtime.models)
    this.#context = attemptContext(opened, { id: message.id, name: message.name, attempt })
    return this.#context
  }

  decodeArguments(): readonly unknown[] {
    const args = decode(this.#order.message.args, this.#tools.runtime.models)
    if (Array.isArray(args)) return args
    throw new MessageError('undecodable', 'The stored arguments are no list')
  }

  start({ callId, user }: Context): void {
    this.#entered = true
    emit('attempt.start', { ...this.#names(), callId, userId: user?.sub })
  }

  succeeded(value: unknown): Ending {
    const result = encodeResult(value, this.#tools.runtime)
    this.#tellUnstored(result)
    const staged = this.#context === undefined ? [] : takeStaged(this.#context.scope)
    return { result, children: this.#tools.runtime.seal.sealAll(staged) }
  }

  #tellUnstored(result: string): void {
    const reason = unstoredReason(result)
    if (reason === undefined) return
    const { callId, user } = this.#context ?? {}
    emit('result.unstored', { ...this.#names(), callId, userId: user?.sub, reason })
  }

  end(ending: Ending): Outcome {
    if ('thrown' in ending && this.#context !== undefined) {
      const { scope, callId, user } = this.#context
      dropScope(scope, callId, user?.sub)
    }
    const fault = this.#entered ? ownFault(ending) : ending
    const outcome = decideOutcome(fault, {
      lease: this.#order,
      options: this.#options,
      now: now(),
      chance: Math.random(),
    })
    emit('attempt.end', {
      ...this.#names(),
      callId: this.#context?.callId,
      userId: this.#context?.user?.sub,
      outcome: outcome.kind,
      ms: this.ms,
      ...('thrown' in fault ? { error: asError(fault.thrown) } : {}),
    })
    if ('thrown' in fault) this.#report(asError(fault.thrown), outcome)
    return outcome
  }

  /** A run that will be repeated is not the end of it, and a name that only a newer version knows is a deploy under way. */
  #isToldOf({ message }: Error, outcome: Outcome): boolean {
    if (outcome.kind === 'failed') return true
    if (outcome.kind !== 'parked' || outcome.reason === 'unknown_task') return false
    if (outcome.reason !== 'unknown_key') return true
    const { toldOfKeys } = this.#tools
    if (toldOfKeys.has(message)) return false
    if (toldOfKeys.size >= mostKeys) toldOfKeys.clear()
    toldOfKeys.add(message)
    return true
  }

  #report(error: Error, outcome: Outcome): void {
    if (!this.#isToldOf(error, outcome)) return
    const { taskId: id, name, attempt } = this.#names()
    this.#tools.reporter?.report(
      {
        title: `${name}()`,
        error,
        errorId: id,
        level: 'fatal',
        startedAt: this.#began,
        task: { id, name, attempt, outcome: outcome.kind },
      },
      this.#context,
    )
  }

  get ms(): number {
    return performance.now() - this.#began
  }

  #names(): Pick<TaskMessage, 'name'> & { taskId: string; attempt: number } {
    const { message, attempt } = this.#order
    return { taskId: message.id, name: message.name, attempt }
  }
}

/**
 * What the task's own code threw, as something that can be stored: a MessageError (it has read another task's result, say) does not speak about this
 * task's message, and an error whose text can't be read must not end the executor.
 */
function ownFault(ending: Ending): Ending {
  if (!('thrown' in ending)) return ending
  const { thrown } = ending
  if (!isReadable(thrown)) {
    return {
      thrown: new TaskError('UNREADABLE_ERROR', 'The task threw an error whose message or stack is no text'),
    }
  }
  // Of the value itself nothing may be asked: a Proxy can throw at anything.
  const error = asError(thrown)
  if (!(error instanceof MessageError)) return { thrown: error }
  return { thrown: new TaskError(error.code, error.message, { cause: error }) }
}

function isReadable(thrown: unknown): boolean {
  try {
    const { message, stack } = asError(thrown)
    return typeof message === 'string' && (stack === undefined || typeof stack === 'string')
  } catch {
    return false
  }
}
