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
  readonly parameters: readonly Parameter[]
  readonly body: Body | undefined
  /** By status (`'200'`, `'4XX'`, `'default'`); undefined schema where the reply has no body. */
  readonly replies: Readonly<Record<string, JsonSchema | undefined>>
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
}

export interface Body {
  readonly required: boolean
  /** The schema of the JSON body. */
  readonly schema: JsonSchema
  /** The model's name where the schema is a `$ref` to a named schema. */
  readonly model: string | undefined
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
  /** The parsed JSON body, or undefined where there was none. */
  readonly body: unknown
}

/** A request as a handler sees it. */
export interface DecodedRequest {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  /** All declared parameters by name, defaults applied. */
  readonly named: Readonly<Record<string, unknown>>
  /** The body as a model instance where its schema is named, with defaults applied. */
  readonly body: unknown
}

/** The checks of one operation; compiled at first use. */
export interface OperationChecks {
  /** All faults of a request at once, or the decoded request. */
  request(raw: RawRequest): { readonly faults: readonly ValueFault[] } | { readonly decoded: DecodedRequest }
  /** The faults of a reply body against what the operation declares for this status; `undeclared` where it declares nothing for it. */
  reply(status: number, body: unknown): readonly ValueFault[] | 'undeclared'
}
