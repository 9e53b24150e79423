import { startChild } from '../supervisor/child.ts'
import { aliveFolderError } from './alive-folder.ts'
import { ExecutorHandle, type HandleListener } from './executor-handle.ts'
import { settingsArgument } from './executor-settings.ts'
import { type Mark, makeMark, markFile } from './mark.ts'
import type { Pace } from './pace.ts'

/** What executors of one worker have in common. */
export interface ExecutorPlan {
  readonly owner: string
  /** Attempts at a time in each. */
  readonly concurrency: number
  /** The module an executor runs, its arguments and its environment (default: the worker's). */
  readonly entry: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly aliveFolder: string
  /** How long a stop waits for running attempts, in ms. */
  readonly stopTimeoutMs: number
  readonly pace: Pace
}

/** The id of an executor: the name of its lock. */
export function executorId(owner: string, number: number): string {
  return `${owner}.${number}`
}

/** Starts the executor with this number and gives the worker's handle of it. */
export function startExecutor(number: number, plan: ExecutorPlan, listener: HandleListener): ExecutorHandle {
  const { owner, concurrency, entry, args, env, aliveFolder, stopTimeoutMs, pace } = plan
  const id = executorId(owner, number)
  const name = `executor ${number}`
  const mark = markOf(aliveFolder, id)
  const settings = settingsArgument({ id, owner, aliveFolder, concurrency, markFile })
  const start = (hear: (message: object) => void) =>
    startChild({
      name,
      entry,
      args: [...args, settings],
      files: [mark.file],
      stopTimeoutMs,
      onMessage: hear,
      ...(env === undefined ? {} : { env }),
    })
  return new ExecutorHandle({ name, concurrency, mark, pace, listener, start })
}

function markOf(aliveFolder: string, id: string): Mark {
  try {
    return makeMark(aliveFolder, id)
  } catch (error) {
    throw aliveFolderError(aliveFolder, error)
  }
}
