import type { TaskStanding } from './engine.ts'

/** What tells one standing of a task from another; none of it is large. */
export type Glance = Omit<TaskStanding, 'result' | 'error'>

/** Differs between any two things a watcher of a task would want to tell apart. */
export function fingerprint(task: Glance | undefined): string {
  if (task === undefined) return 'absent'
  const { state, reason, attempts, crashes, startedAt, settledAt, owner } = task
  return [state, reason, attempts, crashes, startedAt, settledAt, owner].join(' ')
}
