import { basename, dirname, extname } from 'node:path'
import { type Fault, SetupError } from '../core/errors.ts'
import type { Api, JsonSchema } from './api.ts'
import { circlesIn } from './circles.ts'
import type { Dialect } from './dialect.ts'
import { describeRaw, isRaw, type Raw, SpecDocument } from './document.ts'
import { duplicateIds, duplicateRoutes } from './duplicates.ts'
import { locateFaults } from './locate.ts'
import { openapi3, openapi31 } from './openapi3.ts'
import { readOperations } from './operations.ts'
import { parseSpec } from './parse.ts'
import { below, segmentsOf } from './pointers.ts'
import { resolve } from './resolve.ts'
import { SchemaReader } from './schemas.ts'
import { swagger2 } from './swagger2.ts'

/**
 * The text of a spec file → an Api, in one pass that collects every fault. The Api holds no part of the raw document, so a big
 * spec's text and examples are freed.
 */

export interface ReadOptions {
  /** Whether the spec's base path goes before its paths. */
  readonly basePath: 'apply' | 'ignore'
}

/**
 * Reads a spec file's text; the API's name is the file's without the ending.
 * @throws SetupError `SPEC_INVALID` with all faults of the file, each with its line.
 */
export function readApi(file: string, text: string, options: ReadOptions): Api {
  const { api, faults } = readWhole(file, text, options)
  if (faults.length > 0) throw invalid(faults)
  return api
}

/**
 * The same, giving what could be read beside the faults.
 * @throws SetupError `SPEC_INVALID` for what is no OpenAPI document at all.
 */
export function readWhole(
  file: string,
  text: string,
  options: ReadOptions,
): { api: Api; faults: readonly Fault[] } {
  const root = parseSpec(file, text)
  if (!isRaw(root)) {
    throw invalid([
      { message: `This is not an OpenAPI document: ${describeRaw(root)} where an object must be`, file },
    ])
  }
  const dialect = dialectOf(file, root)
  const document = new SpecDocument(file, root)
  const api = assemble(document, dialect, options)
  const faults = [...document.faults, ...duplicateIds(api), ...duplicateRoutes([api])]
  return { api, faults: locateFaults(file, faults, text) }
}

/** The API's name: that of its file, without the ending; `clients/login` for the spec of another service, which may be called as one of ours is. */
export function apiNameOf(file: string): string {
  const name = basename(file, extname(file))
  return basename(dirname(file)) === 'clients' ? `clients/${name}` : name
}

function assemble(document: SpecDocument, dialect: Dialect, { basePath }: ReadOptions): Api {
  const { root, file } = document
  const name = apiNameOf(file)
  const info: Raw = isRaw(root.info) ? root.info : {}
  const schemas = new SchemaReader(document, dialect)
  if (!isRaw(root.paths) && !(dialect.pathsOptional && (isRaw(root.components) || isRaw(root.webhooks)))) {
    document.fault('', 'The document has no "paths"')
  }
  const named = schemas.named()
  const operations = readOperations({ document, schemas, api: name, dialect, basePath })
  for (const [pointer, message] of circularSchemas(named, schemas.parts, dialect))
    document.fault(pointer, message)
  return {
    name,
    file,
    title: String(info.title ?? name),
    version: String(info.version ?? ''),
    // The parents of another service's models are classes of that service.
    schemas: name.startsWith('clients/') ? withoutParents(named) : named,
    schemasAt: dialect.schemasAt,
    operations,
    parts: schemas.parts,
  }
}

function withoutParents(schemas: Api['schemas']): Api['schemas'] {
  const entries = Object.entries(schemas).map(([name, schema]): [string, JsonSchema] => {
    if (typeof schema === 'boolean') return [name, schema]
    const { 'x-parent': _, ...others } = schema
    return [name, others]
  })
  return Object.fromEntries(entries)
}

function circularSchemas(
  named: Api['schemas'],
  parts: Api['parts'],
  { schemasAt }: Dialect,
): [string, string][] {
  const places = new Map<string, string>([
    ...Object.keys(named).map((name) => [`#${below('/schemas', name)}`, below(schemasAt, name)] as const),
    ...Object.keys(parts).map((pointer) => [`#${below('/parts', pointer)}`, pointer] as const),
  ])
  const schemas = new Map([...places.keys()].map((ref) => [ref, resolve({ schemas: named, parts }, ref)]))
  return [...circlesIn(schemas)].map(([ref, circle]) => {
    const way = circle.map((step) => segmentsOf(places.get(step) ?? '').at(-1)).join(' → ')
    return [
      places.get(ref) ?? '',
      `The schema is defined by itself (${way}): it may hold itself, but not be itself`,
    ]
  })
}

function dialectOf(file: string, root: Raw): Dialect {
  const version = root.swagger ?? root.openapi
  if (version === undefined) {
    throw invalid([
      {
        message:
          'This is not an OpenAPI document: it has neither "swagger: \'2.0\'" nor "openapi: 3.0.3" at its top',
        file,
      },
    ])
  }
  const text = String(version)
  // YAML reads an unquoted 2.0 as the number 2.
  if (root.swagger !== undefined && (text === '2.0' || text === '2')) return swagger2
  if (root.openapi !== undefined && /^3\.0(\.\d+)?$/.test(text)) return openapi3
  // Nor is an unquoted 3.1 text.
  if (root.openapi !== undefined && /^3\.1(\.\d+)?$/.test(text)) return openapi31
  const key = root.swagger === undefined ? 'openapi' : 'swagger'
  throw invalid(
    locateFaults(file, [
      {
        pointer: `/${key}`,
        message: `OpenAPI version ${text} is not known: Swagger 2.0, OpenAPI 3.0 and 3.1 are`,
      },
    ]),
  )
}

function invalid(faults: readonly Fault[]): SetupError {
  return new SetupError('SPEC_INVALID', faults)
}
