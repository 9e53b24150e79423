import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../core/errors.ts'
import { emit } from '../core/events.ts'
import { type Holder, holders, isAlive, removeTraces } from './alive.ts'
import { isReachable } from './process-identity.ts'

/**
 * Ends what a dead worker has left running: an executor in a busy loop does not notice that its channel has closed. Nothing of that
 * worker may run anywhere else before its executors are gone.
 */

/** Kills the living executors of `deadOwner`. False, with the event `orphan.stuck`, when one can't be killed from here. */
export async function sweepOrphans(aliveFolder: string, deadOwner: string): Promise<boolean> {
  const orphans = holders(aliveFolder).filter((holder) => holder.parent === deadOwner)
  const ended = await Promise.all(orphans.map((orphan) => endOrphan(aliveFolder, orphan)))
  return ended.every(Boolean)
}

/** Kills the executors of every dead worker, also of workers that held no tasks. Returns as `sweepOrphans`. */
export async function sweepAllOrphans(aliveFolder: string): Promise<boolean> {
  const parents = new Set(holders(aliveFolder).flatMap(({ parent }) => parent ?? []))
  const dead = [...parents].filter((parent) => !isAlive(aliveFolder, parent))
  const swept = await Promise.all(dead.map((parent) => sweepOrphans(aliveFolder, parent)))
  return swept.every(Boolean)
}

async function endOrphan(folder: string, orphan: Holder): Promise<boolean> {
  if (isAlive(folder, orphan.id)) {
    if (!isReachable(orphan)) return stuck(orphan, 'it runs in another container or under another user')
    if (!killed(orphan.pid)) return stuck(orphan, 'this user may not kill it')
    if (!(await isGone(folder, orphan.id))) return stuck(orphan, 'it does not end')
    emit('orphan.killed', { executor: orphan.id, pid: orphan.pid })
  }
  removeTraces(folder, orphan.id)
  return true
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch (error) {
    // No such process: it has just ended by itself.
    return codeOf(error) === 'ESRCH'
  }
}

/** The kernel tells nobody when it frees a lock, so this asks. */
async function isGone(folder: string, id: string): Promise<boolean> {
  const deadline = performance.now() + longestDeathMs
  while (isAlive(folder, id)) {
    if (performance.now() > deadline) return false
    await delay(5)
  }
  return true
}

const longestDeathMs = 2_000

function stuck(orphan: Holder, why: string): false {
  const message = `Executor ${orphan.id} (pid ${orphan.pid}) of a dead worker still runs and could not be killed: ${why}. Its worker's tasks wait until it is gone: kill it.`
  emit('orphan.stuck', { executor: orphan.id, message })
  return false
}
