import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from '../../test/support/until.ts'
import { canListProcesses, type LivingProcess, processesIn } from './processes.ts'

export interface RunningOptions {
  readonly cwd: string
  readonly command: readonly string[]
  /** Where nothing may run any more when it has ended. */
  readonly scratch: string
}

/** Starts a command as in a terminal, does something with it, presses Ctrl-C, and looks for what is left running. */
export async function running(
  { cwd, command: [program = '', ...args], scratch }: RunningOptions,
  use: (started: ChildProcess) => Promise<void>,
): Promise<void> {
  // Its own process group: Ctrl-C goes to all of it.
  const started = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = outputOf(started)
  try {
    await use(started)
    await pressCtrlC(started, scratch)
  } catch (error) {
    console.error(`check-package: what the service printed:\n${output.join('')}`)
    throw error
  }
}

async function pressCtrlC(started: ChildProcess, scratch: string): Promise<void> {
  const exited = once(started, 'exit', { signal: AbortSignal.timeout(20_000) })
  if (started.pid !== undefined) process.kill(-started.pid, 'SIGINT')
  await exited
  if (!canListProcesses)
    return console.log('check-package: this system has no /proc: not looked for processes left running')
  await until(() => leftRunning(scratch).length === 0, {
    what: 'everything to have ended',
    timeoutMs: 5000,
  }).catch(() => {
    const left = leftRunning(scratch).map(({ pid, command }) => `${pid} ${command}`)
    throw new Error(`left running:\n${left.join('\n')}`)
  })
}

/** What runs in the folder or from it, where the system can tell. */
export function leftRunning(scratch: string): readonly LivingProcess[] {
  return canListProcesses ? processesIn(scratch) : []
}

function outputOf(child: ChildProcess): readonly string[] {
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)))
  return output
}
