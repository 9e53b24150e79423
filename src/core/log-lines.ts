import type { Logger } from 'pino'
import { codeOf, StoreError } from './errors.ts'
import { type EventName, type Events, on } from './events.ts'

/** Turns events into log lines: the one place that decides on words and levels. Returns the end of it. */
export function logEvents(logger: Logger): () => void {
  // Nobody listens to what would not be logged, so that busy code needs not even make its details.
  const table = {
    ...lines,
    ...(logger.isLevelEnabled('debug') ? debugLines : {}),
    ...(logger.isLevelEnabled('info') ? {} : faultLines),
  }
  const ends = Object.entries(table).map(([name, line]) => listen(name, line, logger))
  return () => {
    for (const end of ends) end()
  }
}

type Level = 'debug' | 'info' | 'warn' | 'error'
type Said = readonly [Level, string, object?]
/** Undefined: nothing to say. */
type Line<Detail> = (detail: Detail) => Said | undefined
type Lines = { readonly [Name in EventName]?: Line<Events[Name]> }

const debugLines: Lines = {
  'request.start': (e) => ['debug', `${e.method} ${e.url}`, ids(e)],
  'scope.dropped': (e) => [
    'debug',
    `${tasks(e.tasks.length)} not fired, since the request or attempt did not succeed: ${e.tasks.join(', ')}`,
    ids(e),
  ],
  'task.stored': (e) => ['debug', `Stored ${tasks(e.count)} in ${e.ms.toFixed(1)} ms`],
  'task.handed': (e) => ['debug', `Task ${e.name} goes to ${e.executor}`, { taskId: e.taskId }],
  'client.end': (e) => [
    'debug',
    `Called ${e.client}: ${e.operation} → ${e.status ?? e.error} in ${e.ms.toFixed(1)} ms${e.tries > 1 ? `, ${e.tries} tries` : ''}`,
    { method: e.method, url: e.url },
  ],
  'executor.ready': (e) => ['debug', `${e.executor} is ready after ${Math.round(e.ms)} ms`, { pid: e.pid }],
}

const lines: Lines = {
  'request.end': requestEnd,
  'request.crash': (e) => [
    'error',
    `${e.method} ${e.url} crashed: ${e.error.message}`,
    { ...ids(e), errorId: e.errorId, ...shownOf(e.error) },
  ],
  'reply.mismatch': (e) => [
    'error',
    `The reply ${e.status} of ${e.operation} is not what the spec declares: ${e.faults.join('; ')}`,
    ids(e),
  ],
  'request.slow': (e) => ['warn', `${e.method} ${e.url} took ${Math.round(e.ms)} ms`, ids(e)],
  'service.log': (e) => [e.level, e.message, { ...e.fields, ...ids(e) }],
  'service.report': (e) => [
    e.level === 'error' ? 'error' : 'warn',
    e.title,
    { ...ids(e), errorId: e.errorId, err: e.error },
  ],
  'task.late_fire': (e) => [
    'warn',
    `Task ${e.name} was fired after its request or attempt had ended, so it was stored at once (said once per name)`,
    ids(e),
  ],
  'task.store_failed': (e) => [
    'error',
    `${tasks(e.count)} could not be stored: ${e.error.message}`,
    { code: e.code },
  ],
  'attempt.start': (e) => [
    'info',
    `Task ${e.name} starts${e.attempt > 1 ? ` (attempt ${e.attempt})` : ''}`,
    ids(e),
  ],
  'attempt.end': attemptEnd,
  // Mostly something that nobody waits for, such as what a driver has answered.
  'result.unstored': (e) => ['info', `What task ${e.name} returned is not kept: ${e.reason}`, ids(e)],
  'outcome.unstorable': (e) => [
    'error',
    `Task ${e.name} has failed, though its attempt had another outcome (${e.outcome}): ${e.message}`,
    { taskId: e.taskId },
  ],
  'task.parked': (e) => [
    e.reason === 'unknown_task' ? 'warn' : 'error',
    `Task ${e.name} is parked (${e.reason}): ${sentence(e.message)} See: macaron tasks show ${e.taskId}`,
    { taskId: e.taskId, reason: e.reason },
  ],
  'lease.lost': (e) => [
    'warn',
    e.atStop
      ? `The outcome of task ${e.name} (${e.outcome}) could not be recorded before the stop: unless it was all the same, another worker takes the task for one that was interrupted`
      : `The outcome of task ${e.name} (${e.outcome}) came after its lease was lost and was not recorded`,
    { taskId: e.taskId },
  ],
  'executor.exit': (e) => [
    'warn',
    `${e.executor} died (${cause(e)}) with ${tasks(e.tasks.length)} in it${e.tasks.length > 0 ? `: ${e.tasks.join(', ')}` : ''}${why(e)}`,
    { pid: e.pid },
  ],
  'executor.crash': (e) => [
    'error',
    `An error that nothing caught ends this executor${e.task === undefined ? '' : `; it came out of task ${e.task}`}: ${e.error.message}`,
    { err: e.error },
  ],
  'executor.blocked': (e) => [
    'warn',
    `${e.executor} has not answered for ${Math.round(e.ms)} ms: a task blocks its event loop (${e.tasks.join(', ')}). Other executors go on.`,
  ],
  'executor.recycled': (e) => ['info', `${e.executor} is replaced: it uses ${e.rssMiB} MiB`],
  'child.exit': (e) => [
    'warn',
    `The ${e.child} died (${cause(e)})${e.restartInMs === undefined ? '' : `; it starts again in ${e.restartInMs} ms`}${why(e)}`,
    { pid: e.pid },
  ],
  'dev.changed': (e) => ['info', `Changed: ${e.files.join(', ')}`],
  'dev.reloaded': (e) => ['info', `Reloaded in ${Math.round(e.ms)} ms`],
  'dev.broken': (e) => [
    'error',
    e.serving
      ? 'The files do not run as they are (see above): the service goes on as it was before, until the next change'
      : 'The service does not run (see above): requests get that as a 503, until the next change',
  ],
  'worker.ready': (e) => [
    'info',
    `Runs tasks in ${e.executors} executor${plural(e.executors)}: ${e.tasks.join(', ') || 'none declared'}`,
  ],
  'worker.stopping': (e) => ['info', `Stops: waits for ${tasks(e.running)} to end`],
  'owner.recovered': (e) => [
    e.tasks === 0 ? 'debug' : 'warn',
    `Back in the queue: ${tasks(e.tasks)} of a worker that died`,
    { owner: e.owner },
  ],
  'lease.expired': (e) => [
    'warn',
    `Back in the queue: ${tasks(e.tasks.length)} of a worker that has not been heard of for half a minute`,
    { taskIds: e.tasks.slice(0, 20) },
  ],
  'orphan.killed': (e) => ['warn', `Killed ${e.executor}, left behind by a worker that died`, { pid: e.pid }],
  'orphan.stuck': (e) => ['error', e.message, { executor: e.executor }],
  'store.opened': (e) => [
    e.durable ? 'info' : 'warn',
    `Tasks are stored on ${e.where} (${e.version}): ${e.stored}`,
  ],
  'store.taken_over': (e) => [
    'warn',
    `The task store was last used by another machine (${e.from}), which is silent; this one takes it over`,
  ],
  'store.trouble': (e) => ['error', e.message, { code: e.code }],
  'store.well': (e) => ['info', `The task store works again after ${Math.round(e.afterMs)} ms`],
  'spool.begin': (e) => [
    'error',
    `${sentence(e.message)} Tasks are kept in the spool of this machine until then.`,
    { code: e.code },
  ],
  'spool.empty': (e) => ['info', `Forwarded from the spool: ${tasks(e.count)}`],
  'store.log_long': (e) => ['warn', e.message, { code: e.code }],
  'store.log_short': (e) => [
    'info',
    `The store's write-ahead log is short again after ${Math.round(e.afterMs / 1000)} s`,
  ],
  'client.retry': (e) => [
    'warn',
    `The call of ${e.client}: ${e.operation} is tried again in ${Math.round(e.ms)} ms (try ${e.tries + 1}): ${e.why}`,
  ],
  'client.mismatch': (e) => [
    'error',
    `The reply ${e.status} of ${e.client}: ${e.operation} is not what its spec declares: ${e.faults.join('; ')}`,
  ],
  notice: (e) => ['warn', e.message],
}

/** Where only faults are logged, of what comes by the thousands a second only those are put into words. */
const faultLines: Lines = {
  'request.end': (e) => (e.status >= 500 ? requestEnd(e) : undefined),
  'attempt.start': () => undefined,
  'attempt.end': (e) => (e.error === undefined ? undefined : attemptEnd(e)),
}

function requestEnd(e: Events['request.end']): Said {
  const code = e.error === undefined ? '' : ` ${e.error}`
  const text = `${e.method} ${e.url} → ${e.status}${code} in ${e.ms.toFixed(1)} ms${fired(e.tasks)}`
  return [e.status >= 500 ? 'error' : 'info', text, ids(e)]
}

function attemptEnd(e: Events['attempt.end']): Said {
  const text = `Task ${e.name} ${endings[e.outcome] ?? e.outcome} after ${e.ms.toFixed(1)} ms`
  if (e.error === undefined) return ['info', text, ids(e)]
  // What a task can't be run for at all has happened in no code of the user's; a name that only a newer version knows is a deploy under way.
  const code = codeOf(e.error) ?? ''
  if (unrunnable.includes(code))
    return [code === 'UNKNOWN_TASK' ? 'warn' : 'error', `${text}: ${e.error.message}`, { ...ids(e), code }]
  const level = e.outcome === 'retry' ? 'warn' : 'error'
  return [level, `${text}: ${e.error.message}`, { ...ids(e), err: e.error }]
}

/** Of MessageError. */
const unrunnable = ['UNKNOWN_TASK', 'UNKNOWN_KEY', 'UNDECODABLE', 'REFUSED']

/** An outcome as a verb. */
const endings: Readonly<Record<string, string>> = {
  done: 'done',
  failed: 'failed',
  retry: 'will run again',
  parked: 'parked',
}

function tasks(count: number): string {
  return `${count} task${plural(count)}`
}

function plural(count: number): string {
  return count === 1 ? '' : 's'
}

/** How the store fails says its code, unless that is unknown: a stack at each request would fill the disk that is full. */
function shownOf(error: Error) {
  return error instanceof StoreError && error.code !== 'STORE_FAILED' ? { code: error.code } : { err: error }
}

function fired(count: number): string {
  return count === 0 ? '' : `, ${tasks(count)} fired`
}

/** What another sentence follows: messages end with a full stop or without. */
function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`
}

function why({ reason }: { readonly reason?: string | undefined }): string {
  return reason === undefined ? '' : `: ${reason}`
}

function cause(end: { code: number | null; signal: string | null }): string {
  return end.signal ?? `exit code ${end.code}`
}

function ids(e: {
  callId: string | undefined
  userId?: string | undefined
  taskId?: string | undefined
}): object {
  return { callId: e.callId, userId: e.userId, taskId: e.taskId }
}

function listen(name: string, line: unknown, logger: Logger): () => void {
  // The tables tie each name to a line for its own detail; a loop over names can't show that to the compiler.
  const [event, say] = [name as EventName, line as Line<unknown>]
  return on(event, (detail: unknown) => {
    try {
      const said = say(detail)
      if (said === undefined) return
      const [level, message, fields] = said
      logger[level](fields ?? {}, message)
    } catch {
      // An error whose text resists being read must not end the process that logs it.
      logger.error({ event }, 'An event could not be put into words')
    }
  })
}
