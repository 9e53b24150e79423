/**
 * The task message: what is stored when a task is fired. Written once by the process that fires and sealed; what
 * changes while the task lives (state, attempts, times) is the engine's and stands in `TaskRecord`.
 */
export interface TaskMessage {
  /** UUID version 7, so that ids sort by the time of firing. */
  readonly id: string
  readonly name: string
  readonly queue: string
  /** 0 first … 2,097,151 last. */
  readonly priority: number
  /** Not before this time, ms since epoch. 0: at once. */
  readonly runAt: number
  /** When it was fired, ms since epoch. */
  readonly firedAt: number
  /** Must never start twice; a crash parks it. */
  readonly atMostOnce: boolean
  /** The arguments in the codec's form, a JSON text. */
  readonly args: string
  /** The options as fired, a JSON text of `StoredOptions` with a fixed order of keys. */
  readonly options: string
  /** The sealed context, whose seal authenticates id, name, time of firing, arguments and options with it. */
  readonly context: string
}

/** A message whose task was fired, but not yet released: its context is in clear, and is sealed on the way to the store. */
export interface StagedMessage extends Omit<TaskMessage, 'context'> {
  readonly contextText: string
}

/** What went wrong in an attempt, as stored and shown. */
export interface StoredError {
  readonly code?: string
  readonly message: string
  readonly stack?: string
}
