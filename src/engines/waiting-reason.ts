/** Why a store's health is not well although it can be written: tasks wait, and nobody takes them. */

/** A wait that is long although workers are alive. */
const longWaitMs = 30_000

export interface Waiting {
  readonly waiting: number
  readonly oldestWaitMs: number
}

/** No reason not to be well: they wait for somebody, or for a newer worker. */
export function parkedWarning({ parked }: { readonly parked: number }): string[] {
  if (parked === 0) return []
  const tasks = parked === 1 ? '1 task is parked' : `${parked} tasks are parked`
  return [`${tasks}, and deleted after 7 days: \`macaron tasks ls --state parked\` says which, and why.`]
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
