import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * What was found out about a spec file, kept from start to start: an executor needs a few names of a file that may have 13 MB. A note holds for the file
 * as it was when it was read, told by its inode, size and times; a file that has changed since has no notes. Where notes can't be kept everything is read
 * anew, as it is where there are none.
 */
export class SpecNotes {
  readonly #folder: string | undefined

  /** `folder` is made at the first note; without one nothing is kept. */
  constructor(folder?: string) {
    this.#folder = folder
  }

  /**
   * The note `kind` on `files`, else what `find` reads from them, noted down. `valid` says whether a note is what it should be: anyone may have written
   * to the file.
   */
  async of<T>(
    kind: string,
    files: readonly string[],
    { find, valid }: { find(): Promise<T>; valid(note: unknown): note is T },
  ): Promise<T> {
    const before = stateOf(files)
    const path = before === undefined ? undefined : this.#pathOf(kind, files)
    if (path === undefined || before === undefined) return find()
    const known = read(path)
    if (known?.state === before && valid(known.note)) return known.note
    const note = await find()
    // What was written while it was read, or is too young for its times to tell a further change, is not noted.
    if (stateOf(files) === before && isSettled(files)) write(path, { state: before, note })
    return note
  }

  #pathOf(kind: string, files: readonly string[]): string | undefined {
    if (this.#folder === undefined) return undefined
    const hash = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16)
    return join(this.#folder, `${kind}-${basename(files[0] ?? '')}-${hash}.json`)
  }
}

interface Kept {
  readonly state: string
  readonly note: unknown
}

/** Names files as they are now; undefined where one is missing. */
function stateOf(files: readonly string[]): string | undefined {
  try {
    return files
      .map((file) => statSync(file, { bigint: true }))
      .map(({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join(':'))
      .join(' ')
  } catch {
    return undefined
  }
}

/** Times of files move in steps of up to 10 ms. */
const settledMs = 50

function isSettled(files: readonly string[]): boolean {
  return files.every((file) => {
    const { mtimeMs, ctimeMs } = statSync(file)
    return Date.now() - Math.max(mtimeMs, ctimeMs) > settledMs
  })
}

function read(path: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof kept !== 'object' || kept === null || !('state' in kept) || !('note' in kept)) return undefined
    return { state: String(kept.state), note: kept.note }
  } catch {
    return undefined
  }
}

/** By rename, so that nobody reads half of it. */
function write(path: string, kept: Kept): void {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 })
    renameSync(temporary, path)
  } catch {
    // A full disk, a folder that can't be written: the next start reads the file again.
    remove(temporary)
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where nothing can be written nothing is left behind either.
  }
}
