import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { identityOf, isStillRunning } from '../../src/supervisor/process-identity.ts'

/** Starts a fixture program; it is killed when the test ends. */
export function startProgram(
  test: TestContext,
  entry: URL,
  options: ForkOptions & { args?: string[] } = {},
): ChildProcess {
  const { args = [], ...rest } = options
  const child = fork(entry, args, {
    execArgv: ['--conditions=macaron-source'],
    serialization: 'advanced',
    ...rest,
  })
  test.after(() => child.kill('SIGKILL'))
  return child
}

/** The same, once it has sent its first message. */
export async function startedProgram(
  test: TestContext,
  entry: URL,
  options: ForkOptions & { args?: string[] } = {},
): Promise<ChildProcess> {
  const child = startProgram(test, entry, options)
  await once(child, 'message')
  return child
}

/** Whether a process with this pid runs; a dead one that waits for its parent does not. */
export function runs(pid: number): boolean {
  return isStillRunning(identityOf(pid))
}
