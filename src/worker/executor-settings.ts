/** What the worker tells an executor when it starts it, as the last argument of its command line. */
export interface ExecutorSettings {
  /** Names its lock: `<owner>.<count>`. */
  readonly id: string
  /** The worker it belongs to. */
  readonly owner: string
  readonly aliveFolder: string
  /** Attempts at a time. */
  readonly concurrency: number
  /** The open file its progress is written to. */
  readonly markFile: number
}

/** The last argument for an executor's command line. */
export function settingsArgument(settings: ExecutorSettings): string {
  return JSON.stringify(settings)
}

/** The settings of this process, from its command line. */
export function readExecutorSettings(argv: readonly string[]): ExecutorSettings {
  // Written by settingsArgument of the worker that has started this process.
  return JSON.parse(argv.at(-1) ?? '{}') as ExecutorSettings
}
