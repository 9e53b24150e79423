import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { dump } from 'js-yaml'
import { parseSpec } from '../../spec/parse.ts'
import { type ServedOperation, shownDocument } from './shown-document.ts'

/** The work behind what the docs serve. It takes seconds for the largest specs, so it is done in a thread, which ends with it and gives its memory back. */

export type Preparation =
  /** The program of the page. */
  | { readonly what: 'program' }
  /** The spec as the page shows it, as JSON. */
  | { readonly what: 'shown'; readonly file: string; readonly operations: readonly ServedOperation[] }
  /** The spec's own text in the other notation. */
  | { readonly what: 'json' | 'yaml'; readonly file: string }

/** What is kept of a preparation: compressed, since every browser takes that. */
export interface Prepared {
  readonly gzipped: Uint8Array
  readonly etag: string
}

/** Does the work of a preparation. */
export async function prepare(preparation: Preparation): Promise<Prepared> {
  const text = await textOf(preparation)
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  return { gzipped: await promisify(gzip)(text), etag }
}

async function textOf(preparation: Preparation): Promise<string> {
  if (preparation.what === 'program') return await pageProgram()
  const document = parseSpec(preparation.file, await readFile(preparation.file, 'utf8'))
  if (preparation.what === 'yaml') return dump(document)
  const shown = preparation.what === 'shown' ? shownDocument(document, preparation.operations) : document
  return JSON.stringify(shown)
}

/** Scalar gives its program to the routes of its Fastify plugin only: those of a server that nobody can reach. */
async function pageProgram(): Promise<string> {
  const [{ default: Fastify }, { default: scalar }] = await Promise.all([
    import('fastify'),
    import('@scalar/fastify-api-reference'),
  ])
  const app = Fastify()
  await app.register(scalar, { routePrefix: '/', configuration: { url: 'unused' } })
  const { payload } = await app.inject('/js/scalar.js')
  await app.close()
  return payload
}
