import type { TaskRecord } from '../engines/engine.ts'

/** How the CLI shows a task. Contexts are sealed and never shown; arguments are shown by `show` and `ls --args` only. */

/** One document for `--json`. Times are ISO 8601. */
export function taskDocument(task: TaskRecord): object {
  const { message, state, reason, attempts, crashes, error, owner } = task
  return {
    id: message.id,
    name: message.name,
    state,
    ...(reason === undefined ? {} : { reason }),
    queue: message.queue,
    priority: message.priority,
    attempts,
    crashes,
    firedAt: time(message.firedAt),
    runAt: time(task.runAt === 0 ? message.firedAt : task.runAt),
    startedAt: time(task.startedAt),
    settledAt: time(task.settledAt),
    owner,
    error: error === undefined ? undefined : { code: error.code, message: error.message },
  }
}

/** The same with arguments and result, for one task that was asked for. */
export function wholeDocument(task: TaskRecord): object {
  const result = task.result === undefined ? undefined : parsed(task.result)
  return { ...taskDocument(task), args: parsed(task.message.args), result }
}

export const taskHeadings = ['id', 'name', 'state', 'attempts', 'fired', 'error']

export function taskCells(task: TaskRecord): readonly string[] {
  const { message, reason, attempts, error } = task
  const state = reason === undefined ? task.state : `${task.state} (${reason})`
  return [
    message.id,
    message.name,
    state,
    String(attempts),
    time(message.firedAt) ?? '',
    firstLine(error?.message ?? ''),
  ]
}

/** All there is to know of one task, a fact a line. */
export function taskLines(task: TaskRecord): readonly string[] {
  const facts = Object.entries(wholeDocument(task)).filter(([, value]) => value !== undefined)
  const lines = facts.map(
    ([name, value]) => `${name.padEnd(10)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return task.error?.stack === undefined ? lines : [...lines, '', task.error.stack]
}

function time(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  const date = new Date(ms)
  // A damaged row must not hide the others.
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1)
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

/** The codec's text as a document where it is JSON, else as it is: a damaged row must not hide the others. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
