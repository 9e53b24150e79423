import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { atEnd } from './at-end.ts'
import type { RunningService } from './service.ts'

/** Requests from several clients at a time until told to stop, or until so many were sent. */
export interface LoadOptions {
  readonly clients: number
  /** How many requests at most. */
  readonly requests: number
  /** What a request fires. */
  readonly task?: string
  /** Further arguments of the task, after its key. */
  readonly args?: readonly unknown[]
  /** Goes before the number in every key. Default `k`. */
  readonly prefix?: string
  /** How long a client waits between two requests. Default 10 ms: as fast as they can, they leave a fast machine thousands of tasks, and no time for anything else. */
  readonly pauseMs?: number
}

export interface LoadAnswers {
  /** Keys whose request got a 2xx. */
  readonly answered: readonly string[]
  /** Which task each of these has fired. */
  readonly ids: ReadonlyMap<string, string>
  /** Statuses that were not 2xx, and codes of connections that broke, with how often. */
  readonly refused: ReadonlyMap<string, number>
  readonly sent: number
}

export interface Load {
  /** Ends it after the requests under way. */
  stop(): void
  /** Resolves when all clients have ended. */
  readonly ended: Promise<LoadAnswers>
  /** When a key's 2xx came, by `performance.now()`; NaN where none did. */
  answeredAt(key: string): number
}

/** Clients that never give up: what breaks a connection breaks one request of it. They end with the test at the latest. */
export function load(test: TestContext, service: RunningService, options: LoadOptions): Load {
  const { clients, requests, task = 'note', args = [], prefix = 'k', pauseMs = 10 } = options
  const answered = new Map<string, { readonly id: string; readonly at: number }>()
  const refused = new Map<string, number>()
  let sent = 0
  let stopped = false
  const one = async (): Promise<void> => {
    const key = `${prefix}${sent++}`
    const outcome = await service.fire(task, [key, ...args]).then(
      ({ status, body }) => ({ said: String(status), id: body.ids?.[0] ?? '' }),
      () => ({ said: 'no answer', id: '' }),
    )
    if (outcome.said.startsWith('2')) answered.set(key, { id: outcome.id, at: performance.now() })
    else refused.set(outcome.said, (refused.get(outcome.said) ?? 0) + 1)
    await delay(outcome.said === 'no answer' ? 10 : pauseMs)
  }
  const client = async (): Promise<void> => {
    while (!stopped && sent < requests) await one()
  }
  const all = Promise.all(Array.from({ length: clients }, client))
  const stop = (): void => {
    stopped = true
  }
  atEnd(test, stop)
  return {
    stop,
    ended: all.then(() => ({ answered: [...answered.keys()], ids: idsOf(answered), refused, sent })),
    answeredAt: (key) => answered.get(key)?.at ?? Number.NaN,
  }
}

function idsOf(answered: ReadonlyMap<string, { readonly id: string }>): ReadonlyMap<string, string> {
  return new Map([...answered].map(([key, { id }]) => [key, id]))
}
