import type { Body, JsonSchema, Parameter } from './api.ts'
import type { Part, Raw, SpecDocument } from './document.ts'
import type { SchemaReader, SchemaRules } from './schemas.ts'

/**
 * How the versions of OpenAPI differ in writing the same things down. One object for each version; the readers of operations,
 * parameters and schemas are the same for all.
 */
export interface Dialect extends SchemaRules {
  /** Whether a file may have components or webhooks only. */
  readonly pathsOptional: boolean
  /** Places of `in` that are a body and no parameter. */
  readonly bodyPlaces: readonly string[]
  /** The path that goes before every path of the spec, without a slash at its end. */
  basePath(root: Raw, pathItem: Raw, operation: Raw): string
  /** The schema and writing of a parameter that is no body. */
  parameter(part: Part, reading: Reading): Omit<Parameter, 'name' | 'in' | 'required'>
  /** Whether a header parameter of this name is to be ignored, as OpenAPI 3 says of `Accept` and others. */
  ignoresHeader(name: string): boolean
  /** The body of an operation. `parameters` are all of the operation's, those of its path included. */
  body(operation: Part, parameters: readonly Part[], reading: Reading): Body | undefined
  /** The schema of a reply's JSON body; undefined where the reply has no body, or none that is JSON. */
  replySchema(reply: Part, operation: Part, reading: Reading): JsonSchema | undefined
  /** The media types of a reply's body, in lower case and without parameters; none where the reply has no body or the spec says none. */
  replyMedia(reply: Part, operation: Part, reading: Reading): readonly string[]
}

/** What reading needs: the document, which takes the faults, and the reader of its schemas. */
export interface Reading {
  readonly document: SpecDocument
  readonly schemas: SchemaReader
}

/** The named schema that a schema is a reference to. */
export function namedSchemaOf(schema: JsonSchema): string | undefined {
  if (typeof schema === 'boolean' || typeof schema.$ref !== 'string') return undefined
  const name = /^#\/schemas\/(.*)$/.exec(schema.$ref)?.[1]
  return name?.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Whether a media type is JSON: `application/json`, `…+json`, or a range that holds it. */
export function isJsonMedia(mediaType: string): boolean {
  const [essence = ''] = mediaType.toLowerCase().split(';')
  return /^(application\/json|[\w.-]+\/[\w.+-]+\+json|\*\/\*|application\/\*)$/.test(essence.trim())
}

/** The path of a base path or server URL, without a slash at its end; empty for the root. */
export function pathOf(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '')
  const absolute = path === '' || path.startsWith('/') ? path : `/${path}`
  return absolute.replace(/\/+$/, '')
}
