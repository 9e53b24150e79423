import type { Body, Parameter } from './api.ts'
import { type Dialect, isJsonMedia, namedSchemaOf, pathOf, type Reading } from './dialect.ts'
import { describeRaw, isRaw, type Part, type Raw } from './document.ts'
import { below } from './pointers.ts'

/** Swagger 2.0: types stand on the parameter itself, a body is a parameter, lists are written by `collectionFormat`. */
export const swagger2: Dialect = {
  schemasAt: '/definitions',
  refSiblings: false,
  pathsOptional: false,

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
    if (body === undefined) return undefined
    const forms = parameters.some(({ raw }) => raw.in === 'formData')
    if (second !== undefined || forms) {
      const both = second === undefined ? 'a body and form fields' : 'two bodies'
      reading.document.fault(operation.pointer, `The operation declares ${both}: a request has one body`)
    }
    return hasJson('consumes', operation, reading) ? bodyOf(body, reading) : undefined
  },

  replySchema(reply, operation, reading) {
    const { schema } = reply.raw
    const isFile = isRaw(schema) && schema.type === 'file'
    if (schema === undefined || isFile || !hasJson('produces', operation, reading)) return undefined
    return reading.schemas.read(schema, below(reply.pointer, 'schema'))
  },
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

function bodyOf(body: Part, { document, schemas }: Reading): Body {
  if (body.raw.schema === undefined) document.fault(body.pointer, 'A body parameter must have a schema')
  const schema = schemas.read(body.raw.schema ?? {}, below(body.pointer, 'schema'))
  return { required: body.raw.required === true, schema, model: namedSchemaOf(schema) }
}

/** Whether the operation takes or gives JSON: said by itself, else by the file; JSON where nothing is said. */
function hasJson(list: 'consumes' | 'produces', operation: Part, { document }: Reading): boolean {
  const said = operation.raw[list] ?? document.root[list]
  return !Array.isArray(said) || said.length === 0 || said.some((type) => isJsonMedia(String(type)))
}
