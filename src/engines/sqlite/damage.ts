import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileAt } from './place.ts'

/**
 * Tells everyone who uses a store that it is damaged: who only adds tasks to it would never meet what makes them unreadable for those that run them. A small file beside
 * the database says so, and of which file: it says nothing of another one that takes its place. Best effort: where it can't be written, who meets the damage
 * next tries again.
 */
export class DamageMark {
  readonly #file: string
  readonly #path: string

  constructor(file: string) {
    this.#file = file
    this.#path = `${file}-damaged`
  }

  isSet(): boolean {
    try {
      if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) return false
      return readFileSync(this.#path, 'utf8') === fileAt(this.#file)
    } catch {
      return false
    }
  }

  set(): void {
    if (this.isSet()) return
    try {
      writeFileSync(this.#path, fileAt(this.#file))
    } catch {
      // As above.
    }
  }

  remove(): void {
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // As above.
    }
  }
}
