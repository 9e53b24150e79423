import { type Config, type ConfigOptions, loadConfig, useConfig } from '../config.ts'
import { asError, describeFailure, SetupError, StoreError } from '../core/errors.ts'
import { logEvents } from '../core/log-lines.ts'
import { openLogger } from '../core/logger.ts'
import { writeError } from '../core/standard-output.ts'
import type { Role } from '../role.ts'
import { ChildError, EarlyEnd, setupExitCode, unavailableExitCode } from '../supervisor/child-end.ts'
import { argumentsOfParent, obeyParent, tellParent } from '../supervisor/parent.ts'

/**
 * The frame of a child process: configuration and logs first, then the role; `ready` when it runs, its faults on standard error and
 * exit code 78 when the service's files don't let it run, and a stop when the parent asks or is gone.
 */
export async function runRole(role: string, start: (config: Config) => Promise<Role>): Promise<void> {
  await receiveArguments()
  const started = begin(role, start)
  obeyParent({ stop: () => void end(started), kill: () => void kill(started) })
  try {
    const { announce } = await started
    tellParent({ type: 'ready', ...announce })
  } catch (error) {
    endWithFailure(error)
  }
}

/** Whether this process was started before there was a need for it: it has no arguments yet, they come as a message. */
export function isAheadOfNeed(): boolean {
  return process.argv.length === 2
}

/** Until its arguments come it has nothing to stop. */
async function receiveArguments(): Promise<void> {
  if (!isAheadOfNeed()) return
  const forget = obeyParent({ stop: () => process.exit(0) })
  // From here on it is as if it had been started with them: a worker hands them on to its executors.
  process.argv.push(...(await argumentsOfParent()))
  forget()
}

/** Says why this process can't run, to its parent or else to people, and ends it. */
export function endWithFailure(error: unknown): void {
  if (!isForParent(error)) writeError(`${describeFailure(error)}\n`)
  // Not before the parent can read it. Disconnecting instead would be heard by this process as the loss of its parent.
  tellParent({ type: 'failed', message: messageOf(error) }, () => process.exit(exitCodeOf(error)))
}

/** What is wrong with the service's files, or with the store, keeps several processes from running: the one at the top tells it once. */
function isForParent(error: unknown): boolean {
  if (process.send === undefined) return false
  return exitCodeOf(error) === setupExitCode || error instanceof StoreError
}

function messageOf(error: unknown): string {
  if (exitCodeOf(error) !== setupExitCode) return asError(error).message
  return (error instanceof EarlyEnd ? error.reason : undefined) ?? describeFailure(error)
}

/** 78 (EX_CONFIG of sysexits.h) where starting again would not help, 75 (EX_TEMPFAIL) where nothing but the store is at fault. */
function exitCodeOf(error: unknown): number {
  if (error instanceof ChildError) return error.exitCode
  if (error instanceof StoreError) return unavailableExitCode
  return error instanceof SetupError ? setupExitCode : 1
}

/** The configuration a parent has passed on: the service's folder and what the command line said. */
export function configOfArguments(): Config {
  const [folder, overrides = '{}'] = process.argv.slice(2)
  // Written by our own parent from its own checked options.
  const parsed = JSON.parse(overrides) as NonNullable<ConfigOptions['overrides']>
  return useConfig(loadConfig({ ...(folder === undefined ? {} : { folder }), overrides: parsed }))
}

async function begin(role: string, start: (config: Config) => Promise<Role>): Promise<Role> {
  const config = configOfArguments()
  logEvents(openLogger({ level: config.log_level, format: config.log_format, role }))
  return await start(config)
}

async function end(started: Promise<Role>): Promise<void> {
  // Why it could not start is told where that was awaited first.
  const role = await started.catch(() => undefined)
  try {
    await role?.stop()
    // Whatever user modules have left running must not keep a stopped process alive.
    process.exit(0)
  } catch (error) {
    writeError(`${describeFailure(error)}\n`)
    process.exit(1)
  }
}

/** A parent that will not wait: own children first, then this process. */
async function kill(started: Promise<Role>): Promise<void> {
  await started.then((role) => role.kill?.()).catch(() => undefined)
  process.exit(1)
}
