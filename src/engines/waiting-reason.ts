/** Why a store's health is not well although it can be written: tasks wait, and nobody takes them. */

/** A wait that is long although workers are alive. */
const longWaitMs = 30_000

export interface Waiting {
  readonly waiting: number
  readonly oldestWaitMs: number
}

export function waitingReason({ waiting, oldestWaitMs }: Waiting, workers: number): string[] {
  if (waiting === 0) return []
  const tasks = waiting === 1 ? '1 task waits' : `${waiting} tasks wait`
  const seconds = Math.round(oldestWaitMs / 1000)
  if (workers === 0)
    return [`${tasks}, the oldest for ${seconds} s, and no worker is alive. Start one: \`macaron work\`.`]
  if (oldestWaitMs <= longWaitMs) return []
  return [
    `${tasks}, the oldest for ${seconds} s, although workers are alive (${workers}): they are too few, or blocked.`,
  ]
}
