import { entryOf } from '../entries.ts'
import { type Child, startChild } from '../supervisor/child.ts'

export type DevRole = 'server' | 'worker'

export interface Wanted {
  readonly role: DevRole
  readonly args: readonly string[]
  /** Gets what the process says, besides that it is ready. */
  hear(message: object): void
}

/** A process that has loaded Macaron, but nothing of the service: it waits to be told which. */
interface Spare {
  readonly child: Child
  begin(wanted: Wanted): void
}

/** Processes started ahead of their need: most of the time that a server needs to start goes into loading Macaron and its dependencies. */
export class Spares {
  readonly #waiting = new Map<DevRole, Spare>()
  #ended: Promise<unknown> | undefined

  /** Sets the spare of this role to work, or else a process that is started for it. */
  take(wanted: Wanted): Child {
    const spare = this.#waiting.get(wanted.role)
    if (spare === undefined) return start(wanted)
    this.#waiting.delete(wanted.role)
    spare.begin(wanted)
    return spare.child
  }

  /** Starts the spares that are missing. */
  prepare(roles: readonly DevRole[]): void {
    if (this.#ended !== undefined) return
    for (const role of roles) if (!this.#waiting.has(role)) this.#add(role)
  }

  /** Ends them all. Idempotent. */
  async end(): Promise<void> {
    this.#ended ??= Promise.all([...this.#waiting.values()].map(({ child }) => child.kill()))
    this.#waiting.clear()
    await this.#ended
  }

  #add(role: DevRole): void {
    const spare = startSpare(role)
    this.#waiting.set(role, spare)
    void spare.child.ended.then(() => {
      if (this.#waiting.get(role) === spare) this.#waiting.delete(role)
    })
  }
}

function startSpare(role: DevRole): Spare {
  let wanted: Wanted | undefined
  const child = start({ role, args: [], hear: (message) => wanted?.hear(message) })
  return {
    child,
    begin(needed) {
      wanted = needed
      child.send({ type: 'begin', args: needed.args })
    },
  }
}

function start({ role, args, hear }: Wanted): Child {
  return startChild({
    name: role,
    entry: entryOf(role === 'server' ? 'dev-server' : role),
    args,
    stopTimeoutMs: stopTimeoutMs[role],
    killGraceMs: 200,
    // A spare waits for as long as nothing changes.
    readyTimeoutMs: longestTimerMs,
    onMessage: hear,
  })
}

/** Beyond what they allow themselves by `stop_timeout`, for a process that does not end. */
const stopTimeoutMs = { server: 60_000, worker: 20_000 }
const longestTimerMs = 2 ** 31 - 1
