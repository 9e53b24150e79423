import { type Fault, SetupError } from './core/errors.ts'
import { locateFaults, type PlacedFault } from './spec/locate.ts'
import { below } from './spec/pointers.ts'

/** Collects everything that is wrong with a configuration, so that it is reported at once, with lines. */
export class ConfigFaults {
  readonly #file: string
  readonly #source: string
  readonly #inFile: PlacedFault[] = []
  readonly #elsewhere: Fault[] = []

  constructor(file: string, source: string) {
    this.#file = file
    this.#source = source
  }

  /** A fault of the file; `path` leads to the value. */
  add(path: readonly string[], message: string): void {
    this.#inFile.push({ pointer: below('', ...path), message })
  }

  /** A fault of the environment or the command line. */
  addElsewhere(message: string): void {
    this.#elsewhere.push({ message })
  }

  /** @throws SetupError `CONFIG_INVALID` with all faults, in the order of the file's lines. */
  throwAny(): void {
    const inFile = locateFaults(this.#file, this.#inFile, this.#source)
    const faults = [...inFile.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)), ...this.#elsewhere]
    if (faults.length > 0) throw new SetupError('CONFIG_INVALID', faults)
  }
}
