import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A disk of its own for one test: small, so that it can be full, and ours to mount read-only. */
export interface SmallDisk {
  readonly folder: string
  /** Takes all free space. */
  fill(): void
  /** Gives it back. */
  free(): void
  remount(mode: 'ro' | 'rw'): void
}

/** Undefined, with the test marked as skipped, where this user may not mount. */
export function mountSmallDisk(test: TestContext, megabytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch {
    rmSync(folder, { recursive: true })
    test.skip('this user may not mount a tmpfs here')
    return undefined
  }
  test.after(() => {
    execFileSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true })
  })
  const filler = join(folder, 'filler')
  return {
    folder,
    fill: () => fillUp(filler),
    free: () => rmSync(filler),
    remount: (mode) => void execFileSync('mount', ['-o', `remount,${mode}`, folder]),
  }
}

function fillUp(file: string): void {
  const handle = openSync(file, 'w')
  try {
    for (const size of [65_536, 4_096]) writeAll(handle, Buffer.alloc(size))
  } finally {
    closeSync(handle)
  }
}

/** Writes blocks until no more fits. */
function writeAll(handle: number, block: Buffer): void {
  try {
    while (writeSync(handle, block) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
