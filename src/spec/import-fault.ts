import { fileURLToPath } from 'node:url'
import { type Fault, MacaronError } from '../core/errors.ts'

/** What to do about faults whose words leave that open, by a part of those. */
const hints = [
  ['does not provide an export named', '. A type must be imported with "import type"'],
  [
    'not supported in strip-only mode',
    '. Node runs TypeScript by leaving out the types: write what is more than a type in JavaScript',
  ],
] as const

/**
 * Why a module of the service can't be imported, as a fault at the place its stack names: that may be in another module, which this one
 * imports, but never outside of the service's folder.
 */
export function importFault(file: string, error: Error, folder: string): Fault {
  const place = placesIn(error.stack ?? '').find((found) => found.file.startsWith(folder))
  const hint = hints.find(([part]) => error.message.includes(part))?.[1] ?? ''
  return { message: `This module can't be imported: ${wordsOf(error, place)}${hint}`, file, ...place }
}

/** Errors of ours are sentences, some of which begin with the place that is told anyway. */
function wordsOf(error: Error, place: Omit<Fault, 'message'> | undefined): string {
  if (!(error instanceof MacaronError)) return `${error.name}: ${error.message}`
  const at = `${place?.file}:${place?.line}: `
  return error.message.startsWith(at) ? error.message.slice(at.length) : error.message
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
