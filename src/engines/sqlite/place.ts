import { closeSync, existsSync, fsyncSync, openSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError } from '../../core/errors.ts'
import { ensureFolder } from '../../core/folder.ts'

/**
 * Where the store lies: its folder, the file system under it, and whether the files there are still the ones that were opened.
 */

/**
 * Makes the folder and refuses one that several machines can mount: SQLite's locks and shared memory don't work across machines.
 * @throws StoreError `STORE_UNWRITABLE`, `STORE_ON_NETWORK`.
 */
export function prepareFolder(folder: string): void {
  const isNew = !existsSync(folder)
  ensureFolder(folder)
  if (isNew) flushFolder(dirname(folder))
  const network = networkFileSystem(statfsSync(folder).type)
  if (network === undefined) return
  throw new StoreError(
    'STORE_ON_NETWORK',
    `${folder} is on a network file system (${network}), where SQLite's locks can't be relied on. Put the service's folder on a local disk, or name one in broker_url (sqlite:/path/to/folder).`,
  )
}

/** The network file system that statfs(2) reports as `type`, or undefined. Those behind FUSE (sshfs and the like) can't be told from local ones. */
export function networkFileSystem(type: number): string | undefined {
  // Some are reported as negative numbers on 32-bit systems.
  return networks[type >>> 0]
}

const networks: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4266872130: 'SMB2',
  4283649346: 'CIFS',
  16914839: '9p',
  1397113167: 'AFS',
  1799439955: 'AFS',
  12805120: 'Ceph',
  22092: 'NCP',
  1937076805: 'Coda',
  198183888: 'Lustre',
}

/** Makes sure that a file just made in `folder` is found there after a power cut. */
export function flushFolder(folder: string): void {
  // Windows can't open folders, and needs no flush of them.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Of a disk, in bytes; what is free is free for this user. */
export interface DiskSpace {
  readonly free: number
  readonly total: number
}

/** The disk of a file; undefined where that can't be told. */
export function spaceAt(file: string): DiskSpace | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(dirname(file))
    // Some file systems tell nothing of it.
    return blocks === 0 ? undefined : { free: bavail * bsize, total: blocks * bsize }
  } catch {
    return undefined
  }
}

/**
 * Names the database file and its write-ahead log as they lie there now. A connection goes on writing into files that were deleted or
 * replaced, where nobody will find what it wrote; comparing this with how it was when the connection was opened tells. By path and not
 * by handle: closing any handle of a database file would drop this process' locks on it.
 */
export function filesAt(file: string): string {
  return `${fileAt(file)} ${fileAt(`${file}-wal`)}`
}

/** Names the file that lies at a path now. */
export function fileAt(path: string): string {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return 'none'
  }
}
