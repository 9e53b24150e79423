import { didYouMean } from '../core/nearest.ts'
import type { JsonSchema, Parameter } from './api.ts'
import { type Dialect, isJsonMedia, namedSchemaOf, pathOf, type Reading } from './dialect.ts'
import { describeRaw, isRaw, type Part, type Raw } from './document.ts'
import { below } from './pointers.ts'

/** OpenAPI 3.0: schemas by media type, `style` and `explode` for parameters, the base path in `servers`. */
export const openapi3: Dialect = {
  schemasAt: '/components/schemas',
  refSiblings: false,
  pathsOptional: false,

  basePath(root, pathItem, operation) {
    const servers = operation.servers ?? pathItem.servers ?? root.servers
    const server: unknown = Array.isArray(servers) ? servers[0] : undefined
    if (!isRaw(server) || typeof server.url !== 'string') return ''
    return pathOf(withDefaults(server.url, server.variables))
  },

  parameter(part, reading) {
    const style = styleOf(part, reading)
    const explode = typeof part.raw.explode === 'boolean' ? part.raw.explode : style === 'form'
    return { schema: parameterSchema(part, reading), style, explode }
  },

  ignoresHeader: (name) => ['accept', 'content-type', 'authorization'].includes(name.toLowerCase()),

  body(operation, _parameters, reading) {
    const { requestBody } = operation.raw
    if (requestBody === undefined) return undefined
    const part = reading.document.part(requestBody, below(operation.pointer, 'requestBody'), 'A request body')
    const schema = part && contentSchema(part, reading)
    if (part === undefined || schema === undefined) return undefined
    return { required: part.raw.required === true, schema, model: namedSchemaOf(schema) }
  },

  replySchema(reply, _operation, reading) {
    return contentSchema(reply, reading)
  },
}

/** OpenAPI 3.1: schemas are JSON Schema 2020-12, and a file may have no paths. Webhooks are calls that the service makes, and not read. */
export const openapi31: Dialect = { ...openapi3, refSiblings: true, pathsOptional: true }

const styles = ['simple', 'form', 'spaceDelimited', 'pipeDelimited', 'deepObject', 'label', 'matrix'] as const

function styleOf({ raw, pointer }: Part, { document }: Reading): Parameter['style'] {
  const usual = raw.in === 'query' || raw.in === 'cookie' ? 'form' : 'simple'
  if (raw.style === undefined) return usual
  const style = styles.find((known) => known === raw.style)
  if (style !== undefined) return style
  document.fault(
    below(pointer, 'style'),
    `Unknown style ${describeRaw(raw.style)}: it must be one of ${styles.join(', ')}.${didYouMean(String(raw.style), styles)}`,
  )
  return usual
}

/** A parameter's schema. One whose value is a document (`content`) is passed on as the text it arrives as. */
function parameterSchema({ raw, pointer }: Part, { document, schemas }: Reading): JsonSchema {
  if (raw.schema !== undefined) return schemas.read(raw.schema, below(pointer, 'schema'))
  if (raw.content === undefined) document.fault(pointer, 'A parameter must have a schema')
  return { type: 'string' }
}

/** The schema of the first JSON media type of `content`. */
function contentSchema({ raw, pointer }: Part, { document, schemas }: Reading): JsonSchema | undefined {
  const at = below(pointer, 'content')
  const json = document.entries(raw.content, at, '"content"').find(([mediaType]) => isJsonMedia(mediaType))
  if (json === undefined) return undefined
  const [mediaType, media] = json
  const schema = isRaw(media) ? media.schema : undefined
  return schema === undefined ? true : schemas.read(schema, below(at, mediaType, 'schema'))
}

/** A server URL with its `{variables}` replaced by their defaults. */
function withDefaults(url: string, variables: unknown): string {
  const known: Raw = isRaw(variables) ? variables : {}
  return url.replace(/\{([^}]*)\}/g, (_, name: string) => {
    const variable = known[name]
    return isRaw(variable) ? String(variable.default ?? '') : ''
  })
}
