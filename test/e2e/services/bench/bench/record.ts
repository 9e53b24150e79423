import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { currentCallId, currentTask, currentUser } from 'macaron'

const file = join(import.meta.dirname, '..', 'runs.ndjson')

/** Writes down a moment of the running task: one appending write, so that lines of several processes never mix. */
export function record(moment: Readonly<Record<string, unknown>>): void {
  const task = currentTask()
  const line = {
    task: task?.name,
    id: task?.id,
    attempt: task?.attempt,
    pid: process.pid,
    callId: currentCallId(),
    user: currentUser()?.sub,
    at: Number(process.hrtime.bigint() / 1000n) / 1000,
    ...moment,
  }
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}
