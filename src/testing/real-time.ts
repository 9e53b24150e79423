import { MacaronError } from '../core/errors.ts'

// Taken now: a test may put fake timers in their place later, and this guard is about real time.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis

/** Waits for a run, but not for ever. @throws MacaronError `TASK_STUCK` naming the task. */
export async function withinRealTime<T>(
  running: Promise<T>,
  ms: number,
  task: { readonly name: string; readonly id: string },
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = startTimer(() => reject(stuck(task, ms)), ms)
  try {
    return await Promise.race([running, late])
  } finally {
    stopTimer(timer)
  }
}

function stuck({ name, id }: { name: string; id: string }, ms: number): MacaronError {
  return new MacaronError(
    'TASK_STUCK',
    `Task ${name} (${id}) has not ended after ${ms} ms of real time. If it is that slow, give it more with { timeout }; if it waits for another task, let tasks run side by side with drain({ concurrency }).`,
  )
}
