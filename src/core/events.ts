import { channel } from 'node:diagnostics_channel'

/**
 * The named events that logic emits; `core/log-lines.ts` turns them into log lines, tests and metrics may listen too.
 * Each is published on the diagnostics channel `macaron:<name>`; without a listener it costs a look-up.
 */
export interface Events {
  'request.start': { callId: string; method: string; url: string; userId: string | undefined }
  'request.end': {
    callId: string
    method: string
    url: string
    status: number
    /** The code of the error the caller got. */
    error: string | undefined
    ms: number
    userId: string | undefined
    tasks: number
  }
  'request.crash': {
    callId: string
    method: string
    url: string
    userId: string | undefined
    errorId: string
    error: Error
  }
  /** It took longer than `report_call_exceeding_ms`. */
  'request.slow': { callId: string; method: string; url: string; userId: string | undefined; ms: number }
  'reply.mismatch': {
    callId: string
    userId: string | undefined
    operation: string
    status: number
    faults: readonly string[]
  }
  /** What the service says with `log`. */
  'service.log': {
    level: 'debug' | 'info' | 'warn' | 'error'
    message: string
    fields: object | undefined
    callId: string | undefined
    userId: string | undefined
    taskId: string | undefined
  }
  /** What the service says with `reportError` and `reportWarning`. */
  'service.report': {
    level: 'error' | 'warning'
    title: string
    callId: string | undefined
    userId: string | undefined
    taskId: string | undefined
    errorId: string
    error: Error
  }
  'scope.dropped': { callId: string | undefined; userId: string | undefined; tasks: readonly string[] }
  'task.late_fire': { name: string; callId: string | undefined; userId: string | undefined }
  'task.stored': { count: number; ms: number }
  'task.store_failed': { count: number; code: string | undefined; error: Error }
  'task.claimed': { count: number; owner: string }
  'task.handed': { taskId: string; name: string; executor: string; attempt: number }
  'attempt.start': {
    taskId: string
    name: string
    attempt: number
    callId: string
    userId: string | undefined
  }
  'attempt.end': {
    taskId: string
    name: string
    attempt: number
    callId: string | undefined
    userId: string | undefined
    outcome: string
    ms: number
    error?: Error
  }
  /** A task is done, but what it returned can't be stored: too large, or nothing that travels. */
  'result.unstored': {
    taskId: string
    name: string
    callId: string | undefined
    userId: string | undefined
    reason: string
  }
  'task.outcome': { taskId: string; name: string; outcome: string }
  /** An attempt ended so, but that can't be stored for what is in it: its task has failed. */
  'outcome.unstorable': { taskId: string; name: string; outcome: string; message: string }
  'task.settled': { count: number }
  'task.parked': { taskId: string; name: string; reason: string; message: string }
  /** `atStop`: the store could not be written before this process ended. */
  'lease.lost': { taskId: string; name: string; outcome: string; atStop: boolean }
  'executor.ready': { executor: string; pid: number; ms: number }
  'executor.exit': {
    executor: string
    pid: number
    code: number | null
    signal: string | null
    tasks: readonly string[]
    /** What is wrong with the service's files. */
    reason?: string | undefined
  }
  'executor.crash': { error: Error; task: string | undefined }
  'executor.blocked': { executor: string; ms: number; tasks: readonly string[] }
  'executor.recycled': { executor: string; rssMiB: number }
  'dev.changed': { files: readonly string[] }
  'dev.reloaded': { ms: number }
  /** The service's files don't run; `serving`: as they were before they still do. */
  'dev.broken': { serving: boolean }
  'child.ready': { child: string; pid: number }
  'child.exit': {
    child: string
    pid: number
    code: number | null
    signal: string | null
    restartInMs: number | undefined
    /** As above. */
    reason?: string | undefined
  }
  'worker.ready': { owner: string; executors: number; tasks: readonly string[] }
  'worker.stopping': { owner: string; running: number }
  /** It takes nothing any more. */
  'worker.paused': { owner: string }
  'owner.recovered': { owner: string; tasks: number }
  /** The leases of these tasks had run out: their worker, on whatever machine, is gone. */
  'lease.expired': { tasks: readonly string[] }
  'orphan.killed': { executor: string; pid: number }
  'orphan.stuck': { executor: string; message: string }
  /** `stored`: what that word means there. */
  'store.opened': { where: string; version: string; stored: string; durable: boolean }
  'store.taken_over': { from: string }
  'store.trouble': { code: string; message: string }
  'store.well': { afterMs: number }
  /** Tasks go to the spool from here on. */
  'spool.begin': { code: string | undefined; message: string }
  /** All of it is where it belongs. */
  'spool.empty': { count: number }
  'store.log_long': { code: string; message: string }
  'store.log_short': { afterMs: number }
  'client.end': {
    client: string
    operation: string
    method: string
    /** Without the query. */
    url: string
    /** Of a reply that the call resolves with. */
    status?: number
    /** The code of the error that the call rejects with. */
    error?: string
    ms: number
    tries: number
  }
  'client.retry': { client: string; operation: string; tries: number; ms: number; why: string }
  'client.mismatch': { client: string; operation: string; status: number; faults: readonly string[] }
  notice: { message: string }
}

export type EventName = keyof Events

const channels = new Map<EventName, ReturnType<typeof channel>>()

function channelOf(name: EventName): ReturnType<typeof channel> {
  const known = channels.get(name)
  if (known !== undefined) return known
  const made = channel(`macaron:${name}`)
  channels.set(name, made)
  return made
}

/** Whether anyone in this process listens: spares busy code the making of a detail that nobody reads. */
export function isHeard(name: EventName): boolean {
  return channelOf(name).hasSubscribers
}

/** Publishes an event to whoever listens in this process. */
export function emit<Name extends EventName>(name: Name, detail: Events[Name]): void {
  const target = channelOf(name)
  if (target.hasSubscribers) target.publish(detail)
}

/** Listens to an event of this process; the returned function ends that. */
export function on<Name extends EventName>(name: Name, listener: (detail: Events[Name]) => void): () => void {
  const target = channelOf(name)
  // The channel of this name only ever carries what emit published under it.
  const receive = (detail: unknown) => listener(detail as Events[Name])
  target.subscribe(receive)
  return () => void target.unsubscribe(receive)
}
