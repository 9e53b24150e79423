import type { Config } from '../config.ts'
import type { Settings } from '../config-keys.ts'
import { logEvents } from '../core/log-lines.ts'
import { openLogger } from '../core/logger.ts'
import { writeError } from '../core/standard-output.ts'
import { entryOf } from '../entries.ts'
import { requireSharedPort } from '../shared-port.ts'
import { startChild } from '../supervisor/child.ts'
import { EarlyEnd, setupExitCode } from '../supervisor/child-end.ts'
import { onStopSignals } from '../supervisor/signals.ts'
import { type SupervisedChild, superviseChild } from '../supervisor/supervise.ts'
import { shareCompiledCode } from './compiled-code.ts'
import { tellOfExposedKeys } from './exposed-keys.ts'

export interface LaunchOptions {
  readonly config: Config
  /** What the command line said; the children read it over the file. */
  readonly overrides: Partial<Settings>
  readonly roles: readonly ('server' | 'worker')[]
  /** Called once, when all children are ready, with what the first server has said of itself. */
  announce(server: object | undefined): void
}

/** Runs the processes of a service until a signal, or until one of them can't be started. Resolves when all are gone. */
export async function launch({ config, overrides, roles, announce }: LaunchOptions): Promise<void> {
  shareCompiledCode(config)
  const children = roles.flatMap((role) => superviseRole(role, { config, overrides }))
  // While they start: what is told of them comes a turn of the loop later at the earliest.
  logEvents(openLogger({ level: config.log_level, format: config.log_format, role: 'macaron' }))
  tellOfExposedKeys(config)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const forget = onStopSignals({
    gentle: () => void stopInOrder(children).then(end),
    hard: () => void killAll(children).then(end),
  })
  try {
    await Promise.race([Promise.all(children.map((child) => child.ready)), ended])
    if (children.every((child) => child.current !== undefined)) announce(await children[0]?.current?.ready)
    await ended
  } catch (error) {
    await stopInOrder(children)
    await tellFaults(children)
    throw error
  } finally {
    forget()
    await stopInOrder(children)
  }
}

/** What is wrong with the service's files, each thing once: several processes may have met the same. */
async function tellFaults(children: readonly SupervisedChild[]): Promise<void> {
  const starts = await Promise.allSettled(children.map((child) => child.ready))
  const faults = starts.flatMap((start) => (start.status === 'rejected' ? faultOf(start.reason) : []))
  for (const fault of new Set(faults)) writeError(`${fault}\n`)
}

function faultOf(failure: unknown): string[] {
  if (!(failure instanceof EarlyEnd) || failure.exitCode !== setupExitCode) return []
  return [failure.reason ?? failure.message]
}

/** Servers first: what they have taken on may still fire tasks that the worker can start. */
async function stopInOrder(children: readonly SupervisedChild[]): Promise<void> {
  for (const child of children) await child.stop()
}

async function killAll(children: readonly SupervisedChild[]): Promise<void> {
  await Promise.all(children.map((child) => child.kill()))
}

function superviseRole(
  role: 'server' | 'worker',
  { config, overrides }: { config: Config; overrides: Partial<Settings> },
): SupervisedChild[] {
  const count = role === 'server' ? config.http_workers : 1
  if (role === 'server') requireSharedPort(config)
  return Array.from({ length: count }, (_, index) => {
    const name = count > 1 ? `${role} ${index + 1}` : role
    const start = () =>
      startChild({
        name,
        entry: entryOf(role),
        args: [config.folder, JSON.stringify(overrides)],
        // Its own stop keeps to stop_timeout; beyond a margin it is not going to end.
        stopTimeoutMs: Math.min(config.stop_timeout + marginMs[role], longestTimerMs),
        killGraceMs: 500,
      })
    return superviseChild({ name, start })
  })
}

/** How much longer than `stop_timeout` a process may take to end: a server has its `onStop` and last reports, a worker records and gives back what it has, also through a locked store. */
const marginMs = { server: 12_000, worker: 20_000 }
const longestTimerMs = 2 ** 31 - 1
