import type { JsonSchema, Operation, Parameter } from './api.ts'
import { comment } from './doc-comment.ts'
import type { EmitNames } from './emit-names.ts'
import { memberName, type TypeTexts } from './emit-types.ts'

/** The types of handlers, one for each function that operations are bound to. */
export function handlerTypes(operations: readonly Operation[], names: EmitNames, types: TypeTexts): string[] {
  const known = new Map<string, string>()
  return operations
    .filter(({ served }) => served)
    .flatMap((operation) => {
      const signature = signatureOf(operation, types)
      const key = `${operation.binding} ${signature}`
      if (operation.binding !== undefined && known.has(key)) return []
      const name = names.unique(names.ofOperation(operation))
      known.set(key, name)
      const { method, path, summary = '' } = operation
      return [`${comment([`${method.toUpperCase()} ${path}`, summary])}export type ${name} = ${signature}`]
    })
}

/** What a handler takes and gives: the body, if any, then all parameters by name. */
function signatureOf({ body, parameters, replies }: Operation, types: TypeTexts): string {
  const first = body && `body: ${types.of(body.schema, 'value')}${body.required ? '' : ' | undefined'}`
  const named =
    parameters.length === 0 ? undefined : `parameters: { ${members(parameters, types).join('; ')} }`
  const taken = [first, named].filter((text) => text !== undefined).join(', ')
  return `(${taken}) => Result<${replyType(replies, types)}>`
}

function members(parameters: readonly Parameter[], types: TypeTexts): string[] {
  const byName = new Map(parameters.toReversed().map((parameter) => [parameter.name, parameter]))
  return [...byName.values()].toReversed().map(({ name, required, schema }) => {
    const hasDefault = typeof schema === 'object' && schema.default !== undefined
    return `${memberName(name)}${required || hasDefault ? '' : '?'}: ${types.of(schema, 'value')}`
  })
}

/** The bodies of the replies that are successes, else of the default reply. */
function replyType(replies: Operation['replies'], types: TypeTexts): string {
  const successes = Object.entries(replies).filter(([status]) => status.startsWith('2'))
  const schemas = successes.length > 0 ? successes.map(([, schema]) => schema) : [replies.default]
  const texts = schemas.map((schema?: JsonSchema) =>
    schema === undefined ? 'void' : types.of(schema, 'init'),
  )
  return [...new Set(texts)].join(' | ')
}
