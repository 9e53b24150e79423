import type { Stoppable } from './core/lifecycle.ts'

/** What a process of a service does, once it has started. */
export interface Role extends Stoppable {
  /** What it says of itself to its parent. */
  readonly announce?: object
  /** Ends its own child processes at once. */
  kill?(): Promise<void>
}
