import { type BigIntStats, type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What is in a folder: its files, each with what changes when it is written or replaced, and its folders. */
export interface Listing {
  readonly files: ReadonlyMap<string, string>
  /** Each with what tells it from another folder of the same name. */
  readonly folders: ReadonlyMap<string, string>
}

interface Wanted {
  file(name: string): boolean
  folder(name: string): boolean
}

export const emptyListing: Listing = { files: new Map(), folders: new Map() }

/** Lists what is wanted of a folder; nothing where there is none any more. Links to folders are not followed. */
export function listFolder(folder: string, wanted: Wanted): Listing {
  const files = new Map<string, string>()
  const folders = new Map<string, string>()
  for (const entry of entriesOf(folder)) {
    const { name } = entry
    const isFolder = entry.isDirectory()
    if (!(isFolder ? wanted.folder(name) : wanted.file(name))) continue
    const found = statOf(join(folder, name))
    if (isFolder && found !== undefined) folders.set(name, `${found.dev}:${found.ino}`)
    else if (found?.isFile()) files.set(name, signatureOf(found))
  }
  return { files, folders }
}

export interface Difference {
  /** Added, removed or changed. */
  readonly files: readonly string[]
  readonly folders: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/** What differs between two listings of one folder. A folder that was replaced is both removed and added. */
export function difference(before: Listing, after: Listing): Difference {
  const files = compare(before.files, after.files)
  const folders = compare(before.folders, after.folders)
  return { files: [...new Set([...files.removed, ...files.added])], folders }
}

function compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  return { added: notAsIn(before, after), removed: notAsIn(after, before) }
}

/** What `map` has and `other` has not, or not the same. */
function notAsIn(other: ReadonlyMap<string, string>, map: ReadonlyMap<string, string>): readonly string[] {
  return [...map].filter(([name, value]) => other.get(name) !== value).map(([name]) => name)
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Undefined where it has gone meanwhile. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true })
  } catch {
    return undefined
  }
}

function signatureOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
}
