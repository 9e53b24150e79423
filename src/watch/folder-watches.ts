import { watch } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { asError, codeOf } from '../core/errors.ts'
import { difference, emptyListing, type Listing, listFolder } from './listing.ts'
import type { WatchOptions } from './watch-files.ts'

interface WatchedFolder {
  close(): void
  listing: Listing
  /** Files that matter in it although the options don't say so. */
  readonly added: Set<string>
  /** Whether it is watched for the root's sake, with the folders below it. */
  whole: boolean
}

/**
 * One watch on each folder (a watch on a file is lost when an editor replaces it), and what was in it when it was last looked at. Node's own
 * recursive watch would go through the ignored folders too, `node_modules` among them.
 */
export class FolderWatches {
  readonly #options: WatchOptions
  readonly #touch: () => void
  readonly #folders = new Map<string, WatchedFolder>()
  readonly #touched = new Set<string>()
  #polling: NodeJS.Timeout | undefined

  constructor(options: WatchOptions, touch: () => void) {
    this.#options = options
    this.#touch = touch
  }

  start(): void {
    this.#open(this.#options.root)
  }

  add(file: string): void {
    const [folder, name] = [dirname(file), basename(file)]
    if (this.#wants(folder, name)) return
    const watched = this.#folders.get(folder) ?? this.#watch(folder, false)
    watched.added.add(name)
    watched.listing = this.#list(folder, watched)
  }

  stop(): void {
    clearInterval(this.#polling)
    for (const { close } of this.#folders.values()) close()
    this.#folders.clear()
  }

  /** The files that have changed since they were last looked at. */
  changes(): readonly string[] {
    const folders = [...this.#touched]
    this.#touched.clear()
    return [...new Set(folders.flatMap((folder) => this.#look(folder)))].sort()
  }

  #look(folder: string): readonly string[] {
    const watched = this.#folders.get(folder)
    if (watched === undefined) return []
    const before = watched.listing
    watched.listing = this.#list(folder, watched)
    const { files, folders } = difference(before, watched.listing)
    return [
      ...files.map((name) => join(folder, name)),
      ...folders.removed.flatMap((name) => this.#close(join(folder, name))),
      ...folders.added.flatMap((name) => this.#open(join(folder, name))),
    ]
  }

  /** Watches a folder and those below it; gives the files there. */
  #open(folder: string): readonly string[] {
    // The watch first: what comes in between is seen twice rather than not at all.
    const watched = this.#folders.get(folder) ?? this.#watch(folder, true)
    watched.whole = true
    watched.listing = this.#list(folder, watched)
    const { files, folders } = watched.listing
    return [
      ...[...files.keys()].map((name) => join(folder, name)),
      ...[...folders.keys()].flatMap((name) => this.#open(join(folder, name))),
    ]
  }

  /** Gives the files that were there. */
  #close(folder: string): readonly string[] {
    const watched = this.#folders.get(folder)
    if (watched === undefined) return []
    watched.close()
    this.#folders.delete(folder)
    const { files, folders } = watched.listing
    return [
      ...[...files.keys()].map((name) => join(folder, name)),
      ...[...folders.keys()].flatMap((name) => this.#close(join(folder, name))),
    ]
  }

  #watch(folder: string, whole: boolean): WatchedFolder {
    const watched = { close: this.#listen(folder), listing: emptyListing, added: new Set<string>(), whole }
    this.#folders.set(folder, watched)
    return watched
  }

  #listen(folder: string): () => void {
    try {
      const watcher = watch(folder, (event, name) => this.#hear({ folder, event, name }))
      // It may be gone: to look tells.
      watcher.on('error', () => this.#hear({ folder, event: 'rename', name: null }))
      return () => watcher.close()
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#poll(asError(error).message)
      return () => undefined
    }
  }

  /** Nothing is looked at for a write to a file of no interest: a log that grows, for instance. */
  #hear({ folder, event, name }: { folder: string; event: string; name: string | null }): void {
    if (event === 'change' && name !== null && !this.#wants(folder, name)) return
    this.#touched.add(folder)
    this.#touch()
  }

  #wants(folder: string, name: string): boolean {
    const watched = this.#folders.get(folder)
    return watched !== undefined && this.#isWanted(watched, join(folder, name))
  }

  #isWanted({ added, whole }: WatchedFolder, file: string): boolean {
    return added.has(basename(file)) || (whole && this.#options.isWatched(relative(this.#options.root, file)))
  }

  #list(folder: string, watched: WatchedFolder): Listing {
    const { root, isIgnored } = this.#options
    return listFolder(folder, {
      file: (name) => this.#isWanted(watched, join(folder, name)),
      folder: (name) => watched.whole && !isIgnored(relative(root, join(folder, name))),
    })
  }

  /** No more watches to be had (inotify's limit), or none on this file system. */
  #poll(why: string): void {
    if (this.#polling !== undefined) return
    this.#options.onPolling?.(why)
    this.#polling = setInterval(() => {
      for (const folder of this.#folders.keys()) this.#touched.add(folder)
      this.#touch()
    }, pollMs)
  }
}

const pollMs = 500
