import type { Body, JsonSchema, Parameter } from './api.ts'
import { type Dialect, isJsonMedia, pathOf, type Reading } from './dialect.ts'
import { describeRaw, isRaw, type Part, type Raw } from './document.ts'
import { bodyOf, essenceOf } from './media.ts'
import { below } from './pointers.ts'

/** Swagger 2.0: types stand on the parameter itself, a body is a parameter, lists are written by `collectionFormat`. */
export const swagger2: Dialect = {
  schemasAt: '/definitions',
  refSiblings: false,
  pathsOptional: false,
  bodyPlaces: ['body', 'formData'],

  basePath(root) {
    return typeof root.basePath === 'string' ? pathOf(root.basePath) : ''
  },

  parameter(part, { document, schemas }) {
    const { raw, pointer } = part
    const writing = writingOf(raw)
    if (writing === undefined) {
      document.fault(
        below(pointer, 'collectionFormat'),
        `Unknown collectionFormat ${describeRaw(raw.collectionFormat)}: it must be csv, ssv, tsv, pipes or multi`,
      )
    }
    return { schema: schemas.read(raw, pointer), ...(writing ?? simple) }
  },

  ignoresHeader: () => false,

  body(operation, parameters, reading) {
    const [body, second] = parameters.filter(({ raw }) => raw.in === 'body')
    const fields = parameters.filter(({ raw }) => raw.in === 'formData')
    if (body === undefined) return fields.length === 0 ? undefined : formOf(fields, operation, reading)
    if (second !== undefined || fields.length > 0) {
      const both = second === undefined ? 'a body and form fields' : 'two bodies'
      reading.document.fault(operation.pointer, `The operation declares ${both}: a request has one body`)
    }
    if (body.raw.schema === undefined)
      reading.document.fault(body.pointer, 'A body parameter must have a schema')
    const schema = reading.schemas.read(body.raw.schema ?? {}, below(body.pointer, 'schema'))
    const types = mediaTypes('consumes', operation, reading)
    const declared = (types.length === 0 ? ['application/json'] : types).map((mediaType) => ({
      mediaType,
      schema,
    }))
    return bodyOf(declared, body.raw.required === true)
  },

  replySchema(reply, operation, reading) {
    const { schema } = reply.raw
    if (schema === undefined || isFile(schema) || !hasJson('produces', operation, reading)) return undefined
    return reading.schemas.read(schema, below(reply.pointer, 'schema'))
  },

  replyMedia(reply, operation, reading) {
    const { schema } = reply.raw
    if (schema === undefined) return []
    const types = mediaTypes('produces', operation, reading).map(essenceOf)
    // Whole files say that they produce JSON, and mean what is no file.
    return isFile(schema) ? types.filter((type) => !isJsonMedia(type)) : types
  },
}

function isFile(schema: unknown): boolean {
  return isRaw(schema) && schema.type === 'file'
}

type Writing = Pick<Parameter, 'style' | 'explode'>

const simple: Writing = { style: 'simple', explode: false }

const queryWritings: Readonly<Record<string, Writing>> = {
  csv: { style: 'form', explode: false },
  multi: { style: 'form', explode: true },
  ssv: { style: 'spaceDelimited', explode: false },
  tsv: { style: 'tabDelimited', explode: false },
  pipes: { style: 'pipeDelimited', explode: false },
}

function writingOf(raw: Raw): Writing | undefined {
  const format = raw.collectionFormat ?? 'csv'
  if (format === 'csv' && raw.in !== 'query') return simple
  return typeof format === 'string' ? queryWritings[format] : undefined
}

/** The fields of a form as one object. Where the spec names no type of form, both are taken, unless a file needs the one that can hold it. */
function formOf(fields: readonly Part[], operation: Part, { document, schemas }: Reading): Body {
  const read = fields.map((part) => ({
    name: String(part.raw.name),
    raw: part.raw,
    schema: schemas.read(part.raw, part.pointer),
  }))
  const schema: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(read.map(({ name, schema: field }) => [name, field])),
    required: read.filter(({ raw }) => raw.required === true).map(({ name }) => name),
  }
  const encoding = Object.fromEntries(
    read.flatMap(({ name, raw }) => (raw.type === 'array' ? [[name, fieldWriting(raw)] as const] : [])),
  )
  const said = mediaTypes('consumes', operation, { document, schemas }).map(essenceOf)
  const named = forms.filter((form) => said.includes(form))
  const usual = read.some(({ raw }) => raw.type === 'file') ? ['multipart/form-data'] : forms
  const declared = (named.length > 0 ? named : usual).map((mediaType) => ({ mediaType, schema, encoding }))
  const content = bodyOf(declared, false)?.content ?? []
  return { required: false, schema, model: undefined, content, asParameters: true }
}

const forms = ['application/x-www-form-urlencoded', 'multipart/form-data']

/** A wrong collectionFormat is a fault of the parameter's own reading. */
function fieldWriting(raw: Raw): Writing {
  return writingOf({ ...raw, in: 'query' }) ?? simple
}

/** Whether the operation takes or gives JSON; it does where nothing is said. */
function hasJson(list: 'consumes' | 'produces', operation: Part, reading: Reading): boolean {
  const types = mediaTypes(list, operation, reading)
  return types.length === 0 || types.some(isJsonMedia)
}

/** What the operation takes or gives: said by itself, else by the file. */
function mediaTypes(
  list: 'consumes' | 'produces',
  operation: Part,
  { document }: Reading,
): readonly string[] {
  const said = operation.raw[list] ?? document.root[list]
  return Array.isArray(said) ? said.map(String) : []
}
