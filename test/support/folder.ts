import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A new folder for one test, removed when it ends. */
export function ownFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'macaron-test-'))
  test.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
