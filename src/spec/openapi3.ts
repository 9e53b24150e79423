import { didYouMean } from '../core/nearest.ts'
import type { FieldEncoding, JsonSchema, Parameter } from './api.ts'
import { type Dialect, isJsonMedia, pathOf, type Reading } from './dialect.ts'
import { describeRaw, isRaw, type Part, type Raw } from './document.ts'
import { bodyOf, type DeclaredContent, essenceOf } from './media.ts'
import { below } from './pointers.ts'

/** OpenAPI 3.0: schemas by media type, `style` and `explode` for parameters, the base path in `servers`. */
export const openapi3: Dialect = {
  schemasAt: '/components/schemas',
  refSiblings: false,
  pathsOptional: false,
  bodyPlaces: [],

  basePath(root, pathItem, operation) {
    const servers = operation.servers ?? pathItem.servers ?? root.servers
    const server: unknown = Array.isArray(servers) ? servers[0] : undefined
    if (!isRaw(server) || typeof server.url !== 'string') return ''
    return pathOf(withDefaults(server.url, server.variables))
  },

  parameter(part, reading) {
    const style = styleOf(part, reading)
    const explode = typeof part.raw.explode === 'boolean' ? part.raw.explode : style === 'form'
    const reserved = part.raw.allowReserved === true ? { allowReserved: true } : {}
    return { ...parameterSchema(part, reading), style, explode, ...reserved }
  },

  ignoresHeader: (name) => ['accept', 'content-type', 'authorization'].includes(name.toLowerCase()),

  body(operation, _parameters, reading) {
    const { requestBody } = operation.raw
    if (requestBody === undefined) return undefined
    const part = reading.document.part(requestBody, below(operation.pointer, 'requestBody'), 'A request body')
    if (part === undefined) return undefined
    return bodyOf(declaredContent(part, reading), part.raw.required === true)
  },

  replySchema(reply, _operation, reading) {
    return contentSchema(reply, reading)
  },

  replyMedia(reply) {
    return isRaw(reply.raw.content) ? Object.keys(reply.raw.content).map(essenceOf) : []
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

/** A parameter's schema, and what document its value is where it is one (`content`). */
function parameterSchema(part: Part, reading: Reading): Pick<Parameter, 'schema' | 'content'> {
  const { raw, pointer } = part
  if (raw.schema !== undefined) return { schema: reading.schemas.read(raw.schema, below(pointer, 'schema')) }
  if (raw.content === undefined) reading.document.fault(pointer, 'A parameter must have a schema')
  const json = contentSchema(part, reading)
  return json === undefined
    ? { schema: { type: 'string' }, content: 'text' }
    : { schema: json, content: 'json' }
}

/** What a request body may be, one for each media type. */
function declaredContent({ raw, pointer }: Part, reading: Reading): readonly DeclaredContent[] {
  const at = below(pointer, 'content')
  return reading.document.entries(raw.content, at, '"content"').map(([mediaType, media]) => {
    const part: Raw = isRaw(media) ? media : {}
    const { schema, encoding } = part
    const place = below(at, mediaType)
    return {
      mediaType,
      schema: schema === undefined ? undefined : reading.schemas.read(schema, below(place, 'schema')),
      encoding: encodingOf(
        { raw: isRaw(encoding) ? encoding : {}, pointer: below(place, 'encoding') },
        reading,
      ),
    }
  })
}

function encodingOf({ raw, pointer }: Part, reading: Reading): Readonly<Record<string, FieldEncoding>> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, given]) => {
      const field: Raw = isRaw(given) ? given : {}
      const { contentType, style, explode } = field
      const part = { raw: { ...field, in: 'query' }, pointer: below(pointer, name) }
      const isStyled = style !== undefined || explode !== undefined
      const known = isStyled ? styleOf(part, reading) : undefined
      return [
        name,
        {
          style: known,
          explode: isStyled && explode === undefined ? known === 'form' : explode === true,
          contentTypes: typeof contentType === 'string' ? contentType.split(',').map(essenceOf) : undefined,
        },
      ]
    }),
  )
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
