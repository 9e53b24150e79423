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
        `Two tasks are named ${JSON.stringify(definition.name)}: ${other.place} and ${definition.place}. Give one another name: asyncTask('name', fn).${twice(other, definition)}`,
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

/** A file of which there are two modules declares each of its tasks twice. */
function twice(one: TaskDefinition, other: TaskDefinition): string {
  if (fileOf(one) !== fileOf(other)) return ''
  return ' If the file has only one, it was loaded twice, by two loaders or under two addresses: for Vitest, set server.deps.inline to ["macaron"].'
}

function fileOf({ place }: TaskDefinition): string {
  return place.slice(0, place.lastIndexOf(':'))
}

/** The tasks of this process: modules declare theirs when they are imported, before any service exists. */
export const registry = new TaskRegistry()
