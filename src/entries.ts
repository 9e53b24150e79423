import { extname, join } from 'node:path'

/** The module a child process of this role runs: TypeScript in a clone, JavaScript in the published package. */
export function entryOf(role: 'server' | 'worker' | 'executor'): string {
  return join(import.meta.dirname, 'entry', `${role}${extname(import.meta.filename)}`)
}

/** Options for Node in every child: a service's package.json need not have a "type", and nobody needs to be told at each start. */
export const nodeOptions: readonly string[] = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON']
