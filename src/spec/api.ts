import type { UploadedFile } from '../core/uploaded-file.ts'

/**
 * What the rest of Macaron sees of an OpenAPI file, whichever version (2.0, 3.0, 3.1) it is written in: a plain list of
 * operations and the named schemas. Schemas are JSON Schema 2020-12, `$ref`s kept (never dereferenced: big specs explode).
 */
export interface Api {
  /** The file's name without its ending; models are found as `apis.<name>.<Model>`. */
  readonly name: string
  readonly file: string
  readonly title: string
  readonly version: string
  readonly operations: readonly Operation[]
  /** Named schemas: `definitions` or `components.schemas`, converted. A `$ref` to one reads `#/schemas/<name>` with the JSON Pointer escapes. */
  readonly schemas: Readonly<Record<string, JsonSchema>>
  /** Where the named schemas stand in the file, a JSON Pointer. */
  readonly schemasAt: string
  /** Schemas that references point at elsewhere in the file, by JSON Pointer. A `$ref` to one reads `#/parts/<pointer, escaped>`. */
  readonly parts: Readonly<Record<string, JsonSchema>>
}

/** A JSON Schema 2020-12; `x-` keywords are kept. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

export type Method = 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch' | 'trace'

/** One method of one path. */
export interface Operation {
  readonly api: string
  readonly method: Method
  /** With the base path applied, unless `base_path: ignore`; parameters in braces. */
  readonly path: string
  readonly operationId: string | undefined
  /** `x-bind-server`, else `operationId`; undefined where neither is given (which `bindHandlers` refuses where it is served). */
  readonly binding: string | undefined
  /** False with `x-no-bind-server: true`: listed, but neither bound nor routed. */
  readonly served: boolean
  readonly summary: string | undefined
  /** `x-decorate-server`, without `pymacaron.auth.requires_auth`, which becomes `authenticated`. */
  readonly decorators: readonly string[]
  /** A verified token is needed. */
  readonly authenticated: boolean
  /** It is a JWT as our servers verify them (`Authorization: Bearer`), so that clients pass on their caller's. */
  readonly takesToken: boolean
  readonly parameters: readonly Parameter[]
  readonly body: Body | undefined
  /** By status (`'200'`, `'4XX'`, `'default'`); undefined schema where the reply has no body. */
  readonly replies: Readonly<Record<string, JsonSchema | undefined>>
  /** The media types of replies, by the same keys; where none is declared, none is listed. */
  readonly replyMedia: Readonly<Record<string, readonly string[]>>
  readonly place: Place
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required: boolean
  readonly schema: JsonSchema
  /** OpenAPI 3's `style` and `explode`; 2.0's collectionFormat becomes the style that reads the same. */
  readonly style:
    | 'simple'
    | 'form'
    | 'spaceDelimited'
    | 'pipeDelimited'
    | 'tabDelimited'
    | 'deepObject'
    | 'label'
    | 'matrix'
  readonly explode: boolean
  /** The value is a document rather than written by `style` (OpenAPI 3's `content`): JSON, or any other text, which is taken as it is. */
  readonly content?: 'json' | 'text'
  /** Reserved characters come as they are: a plus is a plus. */
  readonly allowReserved?: boolean
}

export interface Body {
  readonly required: boolean
  /** The schema of the first of `content`. */
  readonly schema: JsonSchema
  /** The model's name where that schema is a `$ref` to a named schema. */
  readonly model: string | undefined
  /** The media types that the operation takes: JSON first, then in the order of the spec. */
  readonly content: readonly BodyContent[]
  /** Swagger 2.0's `formData`: the handler gets the fields by name, beside the parameters, and no body. */
  readonly asParameters: boolean
}

/** One media type that an operation takes. */
export interface BodyContent {
  /** In lower case, without parameters; `image/*` for a range. */
  readonly mediaType: string
  /** How it is read: a JSON value, a form's fields, a text, or a stream of bytes. */
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'file'
  readonly schema: JsonSchema
  /** How fields of a form are written, where the spec says so. */
  readonly encoding: Readonly<Record<string, FieldEncoding>>
}

/** How a field of a form is written. */
export interface FieldEncoding {
  /** Undefined: as usual for the field's type. */
  readonly style?: Parameter['style'] | undefined
  readonly explode?: boolean | undefined
  /** Media types that a part may have, ranges included. */
  readonly contentTypes?: readonly string[] | undefined
}

/** A form as it came: texts by field, files by field. */
export interface ReceivedForm {
  /** Percent-encoded, as in a query. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>
}

/** What files a field of a multipart form takes. */
export interface FileField {
  /** A list of them, rather than one. */
  readonly many: boolean
  /** Media types that are taken; undefined: any. */
  readonly mediaTypes: readonly string[] | undefined
  /** Most bytes of one file (`maxLength`); undefined: the service's limit alone. */
  readonly maxBytes: number | undefined
}

/** Where something stands in a spec file. */
export interface Place {
  readonly file: string
  /** JSON Pointer. */
  readonly pointer: string
}

/** A fault of a value against its schema. */
export interface ValueFault {
  /** `body.items[3].price`, `query.limit`. */
  readonly path: string
  /** What is wrong and what was expected, in words. */
  readonly message: string
}

/** What a request carries before decoding. */
export interface RawRequest {
  readonly params: Readonly<Record<string, string>>
  /** The query string without `?`. */
  readonly query: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body, or undefined where there was none: the parsed JSON, the text, the file, or the ReceivedForm. */
  readonly body: unknown
  /** Which of the operation's media types the body is of; undefined: the first. */
  readonly content?: BodyContent | undefined
}

/** A request as a handler sees it. */
export interface DecodedRequest {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  /** All declared parameters by name, defaults applied. */
  readonly named: Readonly<Record<string, unknown>>
  /** The body as a model instance where its schema is named, with defaults applied. A form's files are UploadedFiles. */
  readonly body: unknown
}

/** The checks of one operation; compiled at first use. */
export interface OperationChecks {
  /** The fields of a multipart body that are files. */
  fileFields(content: BodyContent): ReadonlyMap<string, FileField>
  /** All faults of a request at once, or the decoded request. */
  request(raw: RawRequest): { readonly faults: readonly ValueFault[] } | { readonly decoded: DecodedRequest }
  /**
   * The faults of a reply body against what the operation declares for this status; `undeclared` where it declares nothing for it. One that was `received` may have
   * what is writeOnly.
   */
  reply(status: number, body: unknown, mode?: 'reply' | 'received'): readonly ValueFault[] | 'undeclared'
}
