import { type SpawnOptions, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs the real command to its end, in a process of its own. */
export interface CliAnswer {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const bin = fileURLToPath(new URL('../../../bin/macaron.js', import.meta.url))

export interface CliOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The program that runs it. Default: this Node. */
  readonly node?: string
  /** A program with its arguments that runs the command. */
  readonly through?: readonly string[]
  /** Killed when not at an end by then. Default 30 s. */
  readonly timeoutMs?: number
}

export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliAnswer> {
  const { env, node = process.execPath, through = [], timeoutMs = 30_000, ...rest } = options
  const { promise, resolve, reject } = Promise.withResolvers<CliAnswer>()
  const [program = node, ...words] = [...through, node, bin, ...args]
  const child = spawn(program, words, {
    ...rest,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
  child.once('error', reject)
  child.once('close', (code) => resolve({ code, ...texts }))
  return promise
}

/** This process's environment without what would change how a service starts. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(PORT|NODE_ENV|NODE_OPTIONS|NODE_TEST_CONTEXT|MACARON_|PYM_)/
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
  return { NODE_COMPILE_CACHE: compiled, ...kept }
}

/**
 * Every service is started in a folder of its own: without a common place for compiled code each would begin by compiling Macaron. `npm test` names one; this
 * one is for files that are run by themselves.
 */
const compiled = join(tmpdir(), `macaron-e2e-compiled-${process.getuid?.() ?? 0}`)

/** The documents that a command with `--json` has printed. */
export function documents<T>(answer: CliAnswer): readonly T[] {
  return answer.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
