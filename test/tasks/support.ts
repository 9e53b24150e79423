import assert from 'node:assert/strict'
import type { EnqueueAnswer } from '../../src/engines/engine.ts'
import type { EncodeOptions, ModelCodec } from '../../src/tasks/codec.ts'
import { newTaskId } from '../../src/tasks/ids.ts'
import type { StagedMessage, TaskMessage } from '../../src/tasks/message.ts'
import { Outbox, type Way } from '../../src/tasks/outbox.ts'
import type { TaskRuntime } from '../../src/tasks/runtime.ts'
import { Seal, type Signed } from '../../src/tasks/seal.ts'

/** A model as the spec side makes them: a class that the codec is told about. */
export class Money {
  declare amount: number
  declare currency: string
  declare extra: unknown

  constructor(own: Readonly<Record<string, unknown>>) {
    for (const [key, value] of Object.entries(own)) {
      Object.defineProperty(this, key, { value, enumerable: true, writable: true, configurable: true })
    }
  }

  text(): string {
    return `${this.amount} ${this.currency}`
  }
}

/** Knows one model, `shop.Money`. */
export const models: ModelCodec = {
  nameOf: (value) => (value instanceof Money ? { api: 'shop', name: 'Money' } : undefined),
  revive: (api, name, own) => {
    if (`${api}.${name}` !== 'shop.Money') throw new Error(`no model ${api}.${name}`)
    return new Money(own)
  },
}

export const encoding: EncodeOptions = { models, what: 'argument of test', maxBytes: 1_048_576 }

export const key = 'k'.repeat(32)
export const otherKey = 'o'.repeat(32)

/** A message as fired, sealed by `seal` with the context text that is given. */
export function signedMessage(
  seal: Seal,
  over: Partial<Signed> = {},
  contextText = '{"callId":"c"}',
): TaskMessage {
  return sealed(seal, { ...stagedMessage(), ...over }, contextText)
}

/** A message sealed by itself. */
export function sealed(seal: Seal, signed: Signed, contextText: string): TaskMessage {
  const [message] = seal.sealAll([{ ...stagedMessage(), ...signed, contextText }])
  assert.ok(message)
  return message
}

/** A message as fired, not sealed yet. */
export function stagedMessage(contextText = '{"callId":"c"}'): StagedMessage {
  const now = Date.now()
  return {
    id: newTaskId(now),
    name: 'mail',
    queue: 'default',
    priority: 0,
    runAt: 0,
    firedAt: now,
    atMostOnce: false,
    args: '["Hi",{"deep":[1,2]}]',
    options: '{"retries":3}',
    contextText,
  }
}

/** What a store does is decided by each test: it answers the batches that wait, one after another. */
export class ControlledStore {
  readonly batches: (readonly TaskMessage[])[] = []
  readonly #waiting: {
    readonly batch: readonly TaskMessage[]
    resolve(answers: readonly EnqueueAnswer[]): void
    reject(error: unknown): void
  }[] = []
  /** Answers at once, that all is stored. */
  open = false

  readonly enqueue = (batch: readonly TaskMessage[]): Promise<readonly EnqueueAnswer[]> => {
    this.batches.push(batch)
    if (this.open) return Promise.resolve(batch.map(() => ({ stored: true })))
    const { promise, resolve, reject } = Promise.withResolvers<readonly EnqueueAnswer[]>()
    this.#waiting.push({ batch, resolve, reject })
    return promise
  }

  /** Batches that wait for an answer. */
  get inFlight(): number {
    return this.#waiting.length
  }

  answer(answers: readonly EnqueueAnswer[]): void {
    this.#waiting.shift()?.resolve(answers)
  }

  answerStored(): void {
    this.answer((this.#waiting[0]?.batch ?? []).map(() => ({ stored: true })))
  }

  fail(error: unknown): void {
    this.#waiting.shift()?.reject(error)
  }
}

export interface TestRuntime extends TaskRuntime {
  readonly controlled: ControlledStore
}

/** A runtime that stores in an engine, or where the test says what its store does. */
export function runtimeOf(
  over: Partial<TaskRuntime> = {},
  engine?: { enqueue: Way['enqueue'] },
): TestRuntime {
  const controlled = new ControlledStore()
  const seal = over.seal ?? new Seal([key])
  const outbox = new Outbox({
    sealAll: (batch) => seal.sealAll(batch),
    enqueue: (batch) => (engine ?? controlled).enqueue(batch),
  })
  return {
    controlled,
    seal,
    models,
    maxBytes: 1_048_576,
    contextToken: true,
    store: (messages) => outbox.store(messages),
    idle: () => outbox.idle(),
    engine: () => Promise.reject(new Error('this test has no engine')),
    ...over,
  }
}
