import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, type Ending } from './at-end.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const services = fileURLToPath(new URL('../services/', import.meta.url))

/** For tests of what executors do for each other; the fixture has one. */
export const twoExecutors = {
  'macaron.yaml': 'name: bench\nwith_async: true\nworker_count: 2\nlog_format: json\n',
}

export interface FolderOptions {
  /** Files to write over the fixture's, by path in the service; undefined removes one. */
  readonly files?: Readonly<Record<string, string | undefined>>
}

/** A copy of a fixture service in a folder of its own, where `import 'macaron'` finds this checkout. Removed when the test ends. */
export function copyOf(test: Ending, fixture: string, { files = {} }: FolderOptions = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'macaron-e2e-'))
  atEnd(test, () => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const folder = join(root, fixture)
  cpSync(join(services, fixture), folder, { recursive: true })
  mkdirSync(join(root, 'node_modules'))
  symlinkSync(checkout, join(root, 'node_modules', 'macaron'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n')
  for (const [path, text] of Object.entries(files)) put(join(folder, path), text)
  return folder
}

function put(path: string, text: string | undefined): void {
  if (text === undefined) {
    rmSync(path)
    return
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
