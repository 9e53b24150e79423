import { JsonRefusal, jsonOf } from '../core/json.ts'
import type {
  Api,
  BodyContent,
  FieldEncoding,
  FileField,
  JsonSchema,
  Parameter,
  ReceivedForm,
  ValueFault,
} from './api.ts'
import { documentRead, plainValue, type Read, readInto, readOf, type Source } from './decode.ts'
import { DeepObject } from './deep-object.ts'
import { isJsonMedia } from './dialect.ts'
import { setOwn } from './plain.ts'
import { decoded } from './raw-query.ts'
import { resolve } from './resolve.ts'
import { textReader } from './scalars.ts'
import { type Shape, shapeOf } from './shape.ts'

/**
 * The fields of a form, read like query parameters: by the style the spec gives them, or by the usual ways of the web. Lists repeat their name, objects are
 * JSON (RFC 1866, OpenAPI 3) or written with brackets. An empty text where no text is allowed is a field left empty, which is absent.
 */
export class FormFields {
  /** The fields that are files. */
  readonly files: ReadonlyMap<string, FileField>
  readonly #label: string
  readonly #reads: readonly Read[]
  readonly #names: ReadonlySet<string>
  /** The schema of fields that aren't named; undefined where they are ignored. */
  readonly #others: JsonSchema | undefined
  readonly #api: Api

  constructor(api: Api, { schema, encoding }: BodyContent, asParameters: boolean) {
    const shape = shapeOf(api, schema)
    const fields = [...propertiesOf(api, shape)].map(([name, property]) => ({
      name,
      schema: property,
      encoding: encoding[name] ?? {},
      file: fileField(api, property, encoding[name] ?? {}),
    }))
    this.#api = api
    this.#label = asParameters ? 'formData' : 'body'
    this.#names = new Set(fields.map(({ name }) => name))
    this.#others = asParameters ? undefined : (shape.additional ?? true)
    this.files = new Map(fields.flatMap(({ name, file }) => (file === undefined ? [] : [[name, file]])))
    this.#reads = fields
      .filter(({ file }) => file === undefined)
      .map((field) => fieldRead(api, field, this.#names))
  }

  /** The values of the fields that are no files. Faults of encoding go to `faults`. */
  read({ texts }: ReceivedForm, faults: ValueFault[]): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    const source: Source = { raw: noRequest, query: texts, reserved: texts, cookies: noTexts }
    for (const read of this.#reads) readInto(values, read, { source, faults, label: this.#label })
    if (this.#others !== undefined) this.#readOthers(texts, values, this.#others)
    return values
  }

  #readOthers(texts: ReceivedForm['texts'], values: object, schema: JsonSchema): void {
    const reader = textReader(this.#api, schema)
    for (const [name, found] of texts) {
      const known = name.includes('[') ? name.slice(0, name.indexOf('[')) : name
      // Copied by a handler, a field of that name would become a prototype.
      if (this.#names.has(known) || name === '__proto__') continue
      const read = found.map((text) => reader.read(decoded(text) ?? text))
      setOwn(values, name, read.length === 1 ? read[0] : read)
    }
  }
}

const noTexts: ReadonlyMap<string, readonly string[]> = new Map()
const noRequest = { params: {}, query: '', headers: {}, body: undefined }
const none: readonly string[] = []

interface Field {
  readonly name: string
  readonly schema: JsonSchema
  readonly encoding: FieldEncoding
}

/** Every named property, those of alternatives included. */
function propertiesOf(api: Api, shape: Shape, depth = 0): ReadonlyMap<string, JsonSchema> {
  const inner =
    depth < 4 ? shape.branches.map((branch) => propertiesOf(api, shapeOf(api, branch), depth + 1)) : []
  const own = [...shape.properties].map(([name, [schema = true]]) => [name, schema] as const)
  return new Map([...inner.flatMap((properties) => [...properties]), ...own])
}

/** What files a field takes; undefined where it is none of a file. */
function fileField(api: Api, schema: JsonSchema, { contentTypes }: FieldEncoding): FileField | undefined {
  const { items } = shapeOf(api, schema)
  const one = isFile(api, schema) ? schema : items !== undefined && isFile(api, items) ? items : undefined
  if (one === undefined) return undefined
  const target = resolved(api, one)
  const declared = typeof target.contentMediaType === 'string' ? [target.contentMediaType] : undefined
  const mediaTypes = contentTypes ?? declared
  return {
    many: one !== schema,
    mediaTypes: mediaTypes?.some(isAnything) ? undefined : mediaTypes,
    maxBytes: typeof target.maxLength === 'number' ? target.maxLength : undefined,
  }
}

/** OpenAPI's own examples give any file this type: it says "a file", not which. */
function isAnything(mediaType: string): boolean {
  return mediaType === 'application/octet-stream' || mediaType === '*/*'
}

/** Whether a schema is of bytes: `format: binary`, or 3.1's contentMediaType of what isn't encoded as text. */
export function isFile(api: Api, schema: JsonSchema): boolean {
  const { contentMediaType, contentEncoding } = resolved(api, schema)
  if (typeof contentMediaType === 'string' && contentEncoding === undefined)
    return !isJsonMedia(contentMediaType)
  return shapeOf(api, schema).format === 'binary'
}

function resolved(api: Api, schema: JsonSchema): Readonly<Record<string, unknown>> {
  if (typeof schema === 'boolean') return {}
  if (typeof schema.$ref !== 'string') return schema
  const target = resolve(api, schema.$ref)
  return typeof target === 'boolean' ? {} : target
}

function fieldRead(api: Api, { name, schema, encoding }: Field, names: ReadonlySet<string>): Read {
  const { style, explode = true, contentTypes } = encoding
  const parameter: Parameter = { name, in: 'query', required: false, schema, style: style ?? 'form', explode }
  if (style !== undefined) return readOf(api, parameter, names)
  if (contentTypes?.some(isJsonMedia)) return documentRead({ ...parameter, content: 'json' })
  const reader = textReader(api, schema)
  if (reader.kind === 'object' || (reader.kind === 'list' && hasStructuredItems(api, schema))) {
    return structuredRead(api, parameter, reader.kind === 'list')
  }
  if (reader.kind === 'list') return listRead(parameter, reader)
  const isText = reader.hasText
  return {
    parameter,
    textsOf: ({ query }) => present(query.get(name) ?? none, isText),
    value: (texts) => plainValue(texts, parameter, reader),
  }
}

function present(texts: readonly string[], isText: boolean): readonly string[] {
  return !isText && texts.length === 1 && texts[0] === '' ? none : texts
}

function hasStructuredItems(api: Api, schema: JsonSchema): boolean {
  const { items } = shapeOf(api, schema)
  return items !== undefined && textReader(api, items).kind !== 'scalar'
}

/** `tags=a&tags=b`, or with `tags[]`. */
function listRead(parameter: Parameter, reader: ReturnType<typeof textReader>): Read {
  return {
    parameter,
    textsOf: ({ query }) =>
      present(query.get(parameter.name) ?? query.get(`${parameter.name}[]`) ?? none, reader.hasText),
    value: (texts) => texts.map((text) => reader.read(decoded(text) ?? text)),
  }
}

/** Objects, and lists of them: JSON texts, or names with brackets. */
function structuredRead(api: Api, parameter: Parameter, isList: boolean): Read {
  const { name, schema } = parameter
  const deep = new DeepObject(api, name, schema)
  return {
    parameter,
    textsOf: ({ query }) => present(query.get(name) ?? none, false).concat(deep.textsOf(query)),
    value: (_, { query }) => {
      const texts = present(query.get(name) ?? none, false)
      return texts.length === 0 ? deep.read(query) : jsonTexts(texts, isList)
    },
  }
}

function jsonTexts(texts: readonly string[], isList: boolean): unknown {
  const values = texts.map((text) => jsonOf(decoded(text) ?? text))
  const refusal = values.find((value) => value instanceof JsonRefusal)
  if (refusal !== undefined) return refusal
  const [first] = values
  if (values.length > 1) return values
  return isList && !Array.isArray(first) ? values : first
}
