import { TaskError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { CheckedOptions } from './options.ts'

/** A task as its module has declared it. */
export interface TaskDefinition {
  readonly name: string
  readonly fn: (...args: readonly unknown[]) => unknown
  readonly options: CheckedOptions
  /** Where it was declared, `file:line`. */
  readonly place: string
}

/** The tasks a process knows, by name. Names do not depend on file paths, so modules can move. */
export class TaskRegistry {
  readonly #definitions = new Map<string, TaskDefinition>()

  /** @throws TaskError `TASK_DUPLICATE` naming both places. */
  add(definition: TaskDefinition): void {
    const other = this.#definitions.get(definition.name)
    if (other !== undefined) {
      throw new TaskError(
        'TASK_DUPLICATE',
        `Two tasks are named ${JSON.stringify(definition.name)}: ${other.place} and ${definition.place}. Give one another name: asyncTask('name', fn).`,
      )
    }
    this.#definitions.set(definition.name, definition)
  }

  find(name: string): TaskDefinition | undefined {
    return this.#definitions.get(name)
  }

  names(): readonly string[] {
    return [...this.#definitions.keys()]
  }

  /** The known name most like an unknown one. */
  nearest(name: string): string | undefined {
    return nearest(name, this.names())
  }
}

/** The tasks of this process: modules declare theirs when they are imported, before any service exists. */
export const registry = new TaskRegistry()
