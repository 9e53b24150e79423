import { fileURLToPath } from 'node:url'
import type { Fault } from '../core/errors.ts'

/**
 * Why a module of the service can't be imported, as a fault at the place its stack names: that may be in another module, which this one
 * imports, but never outside of the service's folder.
 */
export function importFault(file: string, error: Error, folder: string): Fault {
  const place = placesIn(error.stack ?? '').find((found) => found.file.startsWith(folder))
  const hint = error.message.includes('does not provide an export named')
    ? '. A type must be imported with "import type"'
    : ''
  const message = `This module can't be imported: ${error.name}: ${error.message}${hint}`
  return { message, file, ...place }
}

/** The places that a stack names, the innermost first. That of a syntax error has no column. */
function placesIn(stack: string): readonly (Omit<Fault, 'message'> & { readonly file: string })[] {
  return [...stack.matchAll(/(file:\/\/)?(\/[^\s():]+):(\d+)(?::(\d+))?/g)].map(
    ([, scheme, path = '', line, column]) => ({
      file: scheme === undefined ? path : fileURLToPath(`file://${path}`),
      line: Number(line),
      ...(column === undefined ? {} : { column: Number(column) }),
    }),
  )
}
