import type { Api, JsonSchema, Operation } from './spec/api.ts'
import { isMarked } from './spec/directions.ts'
import { pointerOfRef, segmentsOf } from './spec/pointers.ts'

/** One way to call an operation, for the lines that `start` prints. */
export interface Trial {
  readonly method: string
  /** With parameters filled in. */
  readonly path: string
  readonly authenticated: boolean
  /** A JSON text. */
  readonly body: string | undefined
}

/** Three calls worth trying: something to get, something to send, and the service's health. */
export function trialsOf(apis: readonly Api[]): readonly Trial[] {
  const callable = apis.flatMap((api) =>
    api.operations.filter(isCallable).map((operation) => ({ api, operation })),
  )
  const toGet = callable.find(({ operation }) => operation.method === 'get')
  const toSend = callable.find(({ operation }) => operation.body?.content[0]?.kind === 'json')
  const found = [toGet, toSend].filter((call) => call !== undefined)
  return [
    ...found.map(trialOf),
    { method: 'get', path: '/health/ready', authenticated: false, body: undefined },
  ]
}

/** Whether it can be called with what the spec gives as examples. */
function isCallable({ served, parameters }: Operation): boolean {
  return served && parameters.every(({ required }) => !required)
}

function trialOf({ api, operation }: { api: Api; operation: Operation }): Trial {
  const { method, path, authenticated, body } = operation
  return {
    method,
    path,
    authenticated,
    body: body === undefined ? undefined : JSON.stringify(sampleOf(body.schema, api, 0)),
  }
}

/** A value for a schema: its example or default where it has one, else one of its type. */
function sampleOf(schema: JsonSchema | undefined, api: Api, depth: number): unknown {
  if (typeof schema !== 'object' || depth > 8) return {}
  if (typeof schema.$ref === 'string') return sampleOf(namedSchema(schema.$ref, api), api, depth + 1)
  if (isObject(schema.example)) return sampleObject(schema, api, depth)
  const given = schema.example ?? schema.default ?? firstOf(schema.enum)
  if (given !== undefined) return given
  const type = Array.isArray(schema.type) ? firstOf(schema.type) : schema.type
  if (type === 'object' || schema.properties !== undefined) return sampleObject(schema, api, depth)
  if (type === 'array') return []
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1
  return type === 'boolean' ? true : sampleText(schema.format)
}

function sampleObject(schema: Readonly<Record<string, unknown>>, api: Api, depth: number): object {
  const example = isObject(schema.example) ? schema.example : {}
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : []
  const properties =
    typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {}
  // The values of `properties` are schemas: the spec was checked when it was loaded.
  const parts = Object.entries(properties as Readonly<Record<string, JsonSchema>>)
  return Object.fromEntries(
    parts
      .filter(([name, part]) => required.includes(name) && !isMarked(api, [part], 'readOnly'))
      .map(([name, part]) => [name, example[name] ?? sampleOf(part, api, depth + 1)]),
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sampleText(format: unknown): string {
  if (format === 'email') return 'ada@example.com'
  if (format === 'date') return '2026-01-31'
  return format === 'date-time' ? '2026-01-31T12:00:00Z' : 'text'
}

function namedSchema(ref: string, api: Api): JsonSchema | undefined {
  const [place, name = ''] = segmentsOf(pointerOfRef(ref) ?? '')
  return place === 'schemas' ? api.schemas[name] : api.parts[name]
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined
}
