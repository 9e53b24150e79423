import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from 'node:fs'

/**
 * How a worker hears at once that tasks were stored: every writer writes one byte to the same place of a small file that workers watch. The
 * file is never removed. All of this is a hint: where it fails, workers find the tasks by looking.
 */

/** The writing side. */
export class Bell {
  readonly #handle: number | undefined

  constructor(path: string) {
    this.#handle = openForWriting(path)
  }

  ring(): void {
    if (this.#handle === undefined) return
    try {
      writeSync(this.#handle, '.', 0)
    } catch {
      // A disk that is full: workers look anyway.
    }
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle)
  }
}

/** The listening side; `rearm` is to be called now and then: it starts watching where that isn't (or no longer) the case. */
export class Ear {
  readonly #path: string
  readonly #onRing: () => void
  #watcher: FSWatcher | undefined

  constructor(path: string, onRing: () => void) {
    this.#path = path
    this.#onRing = onRing
    this.rearm()
  }

  rearm(): void {
    if (this.#watcher !== undefined) return
    try {
      this.#watcher = watch(this.#path, { persistent: false }, (event) => this.#hear(event))
      this.#watcher.on('error', () => this.close())
    } catch {
      // Not there yet, or the system's watches are used up: the next look tries again.
    }
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #hear(event: string): void {
    // The watched file was renamed or deleted: what lies at the path now is another.
    if (event === 'rename') this.close()
    this.#onRing()
  }
}

function openForWriting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch {
    return undefined
  }
}
