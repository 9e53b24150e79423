import type { TaskRecord } from './engine.ts'

/** Differs between any two things a watcher of a task would want to tell apart. */
export function fingerprint(task: TaskRecord | undefined): string {
  if (task === undefined) return 'absent'
  const { state, reason, attempts, crashes, runAt, startedAt, settledAt, owner } = task
  return [state, reason, attempts, crashes, runAt, startedAt, settledAt, owner].join(' ')
}
