import type { JsonSchema, Method, Operation } from './api.ts'
import type { Dialect, Reading } from './dialect.ts'
import { describeRaw, type Part } from './document.ts'
import { checkTemplate, parameterParts, readParameters } from './parameters.ts'
import { below } from './pointers.ts'
import { authDecorator, securityOf } from './security.ts'

/** A document's paths as a plain list of operations, everything else in Macaron loops over it. */

const methods: readonly Method[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export interface OperationsReading extends Reading {
  readonly api: string
  readonly dialect: Dialect
  /** `ignore` leaves out the spec's base path, as PyMacaron did. */
  readonly basePath: 'apply' | 'ignore'
}

/** All operations of a document, in its order. */
export function readOperations(reading: OperationsReading): readonly Operation[] {
  const { document } = reading
  const paths = document.entries(document.root.paths, '/paths', '"paths"')
  return paths
    .filter(([template]) => !template.startsWith('x-'))
    .flatMap(([template, raw]) => {
      const at = below('/paths', template)
      if (!isTemplate(template)) {
        document.fault(at, `The path "${template}" must begin with a slash, and its braces must hold names`)
      }
      const item = document.part(raw ?? {}, at, 'A path')
      return item === undefined ? [] : operationsOf(item, template, reading)
    })
}

function isTemplate(template: string): boolean {
  return /^\/([^{}]|\{[^{}]+\})*$/.test(template)
}

function operationsOf(item: Part, template: string, reading: OperationsReading): Operation[] {
  const declared = Object.keys(item.raw).filter((key) => methods.some((method) => method === key))
  return declared.flatMap((key) => {
    // One of the methods, by the filter above.
    const method = key as Method
    const operation = reading.document.part(item.raw[method], below(item.pointer, method), 'An operation')
    return operation === undefined ? [] : [readOperation({ item, template, method, operation }, reading)]
  })
}

interface Found {
  readonly item: Part
  readonly template: string
  readonly method: Method
  readonly operation: Part
}

function readOperation({ item, template, method, operation }: Found, reading: OperationsReading): Operation {
  const { dialect, document } = reading
  const { raw, pointer } = operation
  const parts = parameterParts(item, operation, reading)
  const parameters = readParameters(parts, dialect, reading)
  checkTemplate(operation, template, { parameters, document })
  const base = reading.basePath === 'apply' ? dialect.basePath(document.root, item.raw, raw) : ''
  const decorators = decoratorsOf(operation, reading)
  return {
    api: reading.api,
    method,
    path: base + template,
    operationId: textOf(operation, 'operationId', reading),
    binding: textOf(operation, 'x-bind-server', reading) ?? textOf(operation, 'operationId', reading),
    served: raw['x-no-bind-server'] !== true,
    summary: typeof raw.summary === 'string' ? raw.summary : undefined,
    decorators: decorators.filter((name) => name !== authDecorator),
    ...securityOf(operation, decorators, reading),
    parameters,
    body: dialect.body(operation, parts, reading),
    ...readReplies(operation, reading),
    place: { file: document.file, pointer },
  }
}

function textOf({ raw, pointer }: Part, key: string, { document }: Reading): string | undefined {
  const value = raw[key]
  if (value === undefined || typeof value === 'string') return value
  document.fault(below(pointer, key), `"${key}" must be text, not ${describeRaw(value)}`)
  return undefined
}

function decoratorsOf({ raw, pointer }: Part, { document }: Reading): readonly string[] {
  const value = raw['x-decorate-server'] ?? []
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (names.every((name) => typeof name === 'string')) return names
  document.fault(
    below(pointer, 'x-decorate-server'),
    `"x-decorate-server" must be the dotted name of a function, or a list of them, not ${describeRaw(value)}`,
  )
  return []
}

function readReplies(operation: Part, reading: OperationsReading): Pick<Operation, 'replies' | 'replyMedia'> {
  const at = below(operation.pointer, 'responses')
  const replies: Record<string, JsonSchema | undefined> = {}
  const replyMedia: Record<string, readonly string[]> = {}
  for (const [status, raw] of reading.document.entries(operation.raw.responses, at, '"responses"')) {
    if (status.startsWith('x-')) continue
    if (!/^([1-5](\d\d|XX)|default)$/.test(status)) {
      reading.document.fault(below(at, status), `"${status}" is no reply status: write 200, 4XX or default`)
    }
    const reply = reading.document.part(raw, below(at, status), 'A reply')
    replies[status] = reply && reading.dialect.replySchema(reply, operation, reading)
    replyMedia[status] = reply === undefined ? [] : reading.dialect.replyMedia(reply, operation, reading)
  }
  return { replies, replyMedia }
}
