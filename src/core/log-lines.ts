import type { Logger } from 'pino'
import { type EventName, type Events, on } from './events.ts'

/** Turns events into log lines: the one place that decides on words and levels. Returns the end of it. */
export function logEvents(logger: Logger): () => void {
  const ends = Object.keys(lines)
    .filter(isEventName)
    .map((name) => listen(name, logger))
  return () => {
    for (const end of ends) end()
  }
}

type Level = 'debug' | 'info' | 'warn' | 'error'
type Line<Detail> = (detail: Detail) => readonly [Level, string, object?]

const lines: { readonly [Name in EventName]?: Line<Events[Name]> } = {
  'request.start': (e) => ['debug', `${e.method} ${e.url}`, ids(e)],
  'request.end': (e) => [
    e.status >= 500 ? 'error' : 'info',
    `${e.method} ${e.url} → ${e.status} in ${e.ms.toFixed(1)} ms${tasks(e.tasks)}`,
    ids(e),
  ],
  'request.crash': (e) => [
    'error',
    `${e.method} ${e.url} crashed: ${e.error.message}`,
    { ...ids(e), errorId: e.errorId, err: e.error },
  ],
  'reply.mismatch': (e) => [
    'error',
    `The reply ${e.status} of ${e.operation} is not what the spec declares: ${e.faults.join('; ')}`,
    { callId: e.callId },
  ],
  'scope.dropped': (e) => [
    'debug',
    `${e.tasks.length} task(s) not fired, since the request or attempt did not succeed: ${e.tasks.join(', ')}`,
    { callId: e.callId },
  ],
  'task.late_fire': (e) => [
    'warn',
    `Task ${e.name} was fired after its request or attempt had ended, so it was stored at once (said once per name)`,
    { callId: e.callId },
  ],
  'task.stored': (e) => ['debug', `Stored ${e.count} task(s) in ${e.ms.toFixed(1)} ms`],
  'task.store_failed': (e) => [
    'error',
    `${e.count} task(s) could not be stored: ${e.error.message}`,
    { code: e.code },
  ],
  'task.handed': (e) => ['debug', `Task ${e.name} goes to ${e.executor}`, { taskId: e.taskId }],
  'attempt.start': (e) => [
    'info',
    `Task ${e.name} starts${e.attempt > 1 ? ` (attempt ${e.attempt})` : ''}`,
    ids(e),
  ],
  'attempt.end': (e) => attemptEnd(e),
  'task.parked': (e) => [
    'error',
    `Task ${e.name} is parked (${e.reason}): ${e.message}. See: macaron tasks show ${e.taskId}`,
    { taskId: e.taskId, reason: e.reason },
  ],
  'lease.lost': (e) => [
    'warn',
    `The outcome of task ${e.name} (${e.outcome}) came after its lease was lost and was not recorded`,
    { taskId: e.taskId },
  ],
  'executor.ready': (e) => ['debug', `${e.executor} is ready after ${Math.round(e.ms)} ms`, { pid: e.pid }],
  'executor.exit': (e) => [
    'warn',
    `${e.executor} died (${e.signal ?? `exit code ${e.code}`}) with ${e.tasks.length} task(s) in it${e.tasks.length > 0 ? `: ${e.tasks.join(', ')}; they run again, alone` : ''}`,
    { pid: e.pid },
  ],
  'executor.blocked': (e) => [
    'warn',
    `${e.executor} has not answered for ${Math.round(e.ms)} ms: a task blocks its event loop (${e.tasks.join(', ')}). Other executors go on.`,
  ],
  'executor.recycled': (e) => ['info', `${e.executor} is replaced: it uses ${e.rssMiB} MiB`],
  'child.exit': (e) => [
    'warn',
    `The ${e.child} died (${e.signal ?? `exit code ${e.code}`})${e.restartInMs === undefined ? '' : `; it starts again in ${e.restartInMs} ms`}`,
    { pid: e.pid },
  ],
  'worker.ready': (e) => [
    'info',
    `Runs tasks in ${e.executors} executor(s): ${e.tasks.join(', ') || 'none declared'}`,
  ],
  'worker.stopping': (e) => ['info', `Stops: waits for ${e.running} running task(s)`],
  'owner.recovered': (e) => [
    'warn',
    `${e.tasks} task(s) of a worker that died are back in the queue`,
    { owner: e.owner },
  ],
  'orphan.killed': (e) => ['warn', `Killed ${e.executor}, left behind by a worker that died`, { pid: e.pid }],
  'orphan.stuck': (e) => ['error', e.message, { executor: e.executor }],
  'store.taken_over': (e) => [
    'warn',
    `The task store was last used by another machine (${e.from}), which is silent; this one takes it over`,
  ],
  'store.trouble': (e) => ['error', e.message, { code: e.code }],
  'store.well': (e) => ['info', `The task store works again after ${Math.round(e.afterMs)} ms`],
  notice: (e) => ['warn', e.message],
}

function attemptEnd(e: Events['attempt.end']): readonly [Level, string, object] {
  const failed = e.error !== undefined
  const text = `Task ${e.name} ${e.outcome} after ${e.ms.toFixed(1)} ms${failed ? `: ${e.error?.message}` : ''}`
  return [failed ? 'error' : 'info', text, failed ? { ...ids(e), err: e.error } : ids(e)]
}

function tasks(count: number): string {
  return count === 0 ? '' : `, ${count} task${count === 1 ? '' : 's'} fired`
}

function ids(e: { callId: string | undefined; userId?: string | undefined; taskId?: string }): object {
  return { callId: e.callId, userId: e.userId, taskId: e.taskId }
}

function listen(name: EventName, logger: Logger): () => void {
  // The table's types tie each name to its own detail; a loop over names can't show that to the compiler.
  const line = lines[name] as Line<unknown> | undefined
  if (line === undefined) return () => undefined
  return on(name, (detail: unknown) => {
    const [level, message, fields] = line(detail)
    logger[level](fields ?? {}, message)
  })
}

function isEventName(name: string): name is EventName {
  return Object.hasOwn(lines, name)
}
