import type { Rounds } from '../rounds.ts'
import { purgeExpired, trimSettled } from './actions.ts'
import type { Store } from './store.ts'
import { Turn } from './turn.ts'

/** Most settled tasks that are kept. */
const keptTasks = 1_000_000

/** Deletes what may go, in small steps, between which the loop turns. The more workers looked, the more often would each task be looked at: one does at a time. */
export function deleteOld(store: Store, rounds: Rounds): void {
  const turn = new Turn(store)
  const goesOn = async () => {
    await turn.keep()
    return !rounds.isStopped
  }
  rounds.every(1_000, async () => {
    if (!(await turn.take())) return
    await purgeExpired(store, goesOn)
    await trimSettled(store, keptTasks, goesOn)
  })
}
