import { didYouMean } from '../core/nearest.ts'
import type { Parameter } from './api.ts'
import type { Dialect, Reading } from './dialect.ts'
import { describeRaw, type Part } from './document.ts'
import { below } from './pointers.ts'

/** The parameters of an operation: its own and those of its path, checked against the path's template. */

const locations = ['path', 'query', 'header', 'cookie'] as const

/** The parameter objects of an operation; its own replace those of its path with the same name and place. */
export function parameterParts(pathItem: Part, operation: Part, reading: Reading): readonly Part[] {
  const parts = new Map<string, Part>()
  for (const owner of [pathItem, operation]) {
    const own = new Map<string, Part>()
    for (const part of partsOf(owner, reading)) {
      const key = `${String(part.raw.in)} ${String(part.raw.name)}`
      if (own.has(key)) {
        reading.document.fault(
          part.pointer,
          `The ${part.raw.in} parameter "${part.raw.name}" is declared twice`,
        )
      }
      own.set(key, part)
    }
    for (const [key, part] of own) parts.set(key, part)
  }
  return [...parts.values()]
}

function partsOf(owner: Part, { document }: Reading): readonly Part[] {
  const at = below(owner.pointer, 'parameters')
  return document
    .items(owner.raw.parameters, at, '"parameters"')
    .map((raw, index) => document.part(raw, below(at, index), 'A parameter'))
    .filter((part) => part !== undefined)
    .filter((part) => isNamed(part, document))
}

function isNamed({ raw, pointer }: Part, document: Reading['document']): boolean {
  if (typeof raw.name === 'string' && raw.name !== '') return true
  document.fault(pointer, 'A parameter must have a name')
  return false
}

/** The parameters that are no body. */
export function readParameters(
  parts: readonly Part[],
  dialect: Dialect,
  reading: Reading,
): readonly Parameter[] {
  return parts.flatMap((part) => {
    const where = locationOf(part, dialect, reading)
    if (where === undefined || (where === 'header' && dialect.ignoresHeader(String(part.raw.name)))) return []
    return [
      {
        name: String(part.raw.name),
        in: where,
        required: where === 'path' || part.raw.required === true,
        ...dialect.parameter(part, reading),
      },
    ]
  })
}

function locationOf(
  { raw, pointer }: Part,
  { bodyPlaces }: Dialect,
  { document }: Reading,
): Parameter['in'] | undefined {
  const found = locations.find((location) => location === raw.in)
  if (found !== undefined || bodyPlaces.includes(String(raw.in))) return found
  const known = [...locations, ...bodyPlaces]
  const what = raw.in === undefined ? 'No place' : `Unknown place ${describeRaw(raw.in)}`
  const hint = ['body', 'formData'].includes(String(raw.in))
    ? ' What is sent as the body stands under "requestBody" since OpenAPI 3.'
    : didYouMean(String(raw.in), known)
  document.fault(
    below(pointer, 'in'),
    `${what} of the parameter "${raw.name}": "in" must be one of ${known.join(', ')}.${hint}`,
  )
  return undefined
}

/** Adds a fault for each parameter of the template that is not declared, and each declared one that it doesn't have. */
export function checkTemplate(operation: Part, path: string, { parameters, document }: TemplateCheck): void {
  const inTemplate = new Set(templateNames(path))
  const declared = new Set(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name))
  for (const name of inTemplate) {
    if (declared.has(name)) continue
    document.fault(
      operation.pointer,
      `The path ${path} has {${name}}, but no path parameter "${name}" is declared.${didYouMean(name, declared)}`,
    )
  }
  for (const name of declared) {
    if (inTemplate.has(name)) continue
    document.fault(
      operation.pointer,
      `The path parameter "${name}" is declared, but the path ${path} has no {${name}}.${didYouMean(name, inTemplate)}`,
    )
  }
}

export interface TemplateCheck {
  readonly parameters: readonly Parameter[]
  readonly document: Reading['document']
}

/** The names in braces of a path template. */
function templateNames(path: string): string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
}
