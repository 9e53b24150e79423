import type { Stoppable } from '../core/lifecycle.ts'
import { FolderWatches } from './folder-watches.ts'
import { Settling } from './settling.ts'

/** Watches files; knows nothing of what they are for. */

export interface WatchOptions {
  /** Watched with the folders below it, absolute. */
  readonly root: string
  /** Whether a change of this file matters, by its path below the root. */
  isWatched(path: string): boolean
  /** Whether a folder is left out with all below it, by its path below the root. */
  isIgnored(path: string): boolean
  /** Files that were written, replaced, made or removed, absolute and sorted, once the changes have settled. */
  onChange(files: readonly string[]): void
  /** The system can't tell of changes (any more): files are looked at every half second instead. Called once, with the reason. */
  onPolling?(why: string): void
  /** How long it must be quiet before `onChange`, and the longest that may take, in ms. Defaults 25 and 250. */
  readonly settleMs?: number
  readonly longestMs?: number
}

export interface FileWatch extends Stoppable {
  /** Watches this file too, wherever it is. */
  add(file: string): void
}

/**
 * Tells of changed files by comparing what is there with what was: events only say where to look, so editors that replace a file or write it several
 * times, and folders that come and go, all look the same.
 */
export function watchFiles(options: WatchOptions): FileWatch {
  const { settleMs = 25, longestMs = 250, onChange } = options
  const folders = new FolderWatches(options, () => settling.begin())
  const settling = new Settling({ settleMs, longestMs }, () => {
    const changed = folders.changes()
    if (changed.length > 0) onChange(changed)
  })
  folders.start()
  return {
    add: (file) => folders.add(file),
    async stop() {
      settling.stop()
      folders.stop()
    },
  }
}
