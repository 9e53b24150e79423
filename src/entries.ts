import { extname, join } from 'node:path'

/** The module a child process of this role runs: TypeScript in a clone, JavaScript in the published package. */
export function entryOf(role: 'server' | 'dev-server' | 'worker' | 'executor' | 'check'): string {
  return join(import.meta.dirname, 'entry', `${role}${extname(import.meta.filename)}`)
}
