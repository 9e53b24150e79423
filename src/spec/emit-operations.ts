import type { Api, Operation, Parameter } from './api.ts'
import { isJsonMedia } from './dialect.ts'
import { comment } from './doc-comment.ts'
import { BodyTypes } from './emit-bodies.ts'
import type { EmitNames } from './emit-names.ts'
import { memberName, type TypeTexts } from './emit-types.ts'

/** The types of handlers, one for each function that operations are bound to. */
export function handlerTypes(api: Api, names: EmitNames, types: TypeTexts): string[] {
  const known = new Map<string, string>()
  const bodies = new BodyTypes(api, types)
  return api.operations
    .filter(({ served }) => served)
    .flatMap((operation) => {
      const signature = signatureOf(operation, types, bodies)
      const key = `${operation.binding} ${signature}`
      if (operation.binding !== undefined && known.has(key)) return []
      const name = names.unique(names.ofOperation(operation))
      known.set(key, name)
      const { method, path, summary = '' } = operation
      return [`${comment([`${method.toUpperCase()} ${path}`, summary])}export type ${name} = ${signature}`]
    })
}

function signatureOf(operation: Operation, types: TypeTexts, bodies: BodyTypes): string {
  return `(${takenBy(operation, types, bodies)}) => Result<${repliesType(operation, types)}>`
}

/** What a handler takes: the body, if any, then all parameters by name. */
export function takenBy({ body, parameters }: Operation, types: TypeTexts, bodies: BodyTypes): string {
  const isFirst = body !== undefined && !body.asParameters
  const first = isFirst ? `body: ${bodies.of(body)}${body.required ? '' : ' | undefined'}` : undefined
  const fields = body?.asParameters === true ? bodies.membersOf(body) : []
  const all = [...members(parameters, types), ...fields]
  const named = all.length === 0 ? undefined : `parameters: { ${all.join('; ')} }`
  return [first, named].filter((text) => text !== undefined).join(', ')
}

function members(parameters: readonly Parameter[], types: TypeTexts): string[] {
  const byName = new Map(parameters.toReversed().map((parameter) => [parameter.name, parameter]))
  return [...byName.values()].toReversed().map(({ name, required, schema }) => {
    const hasDefault = typeof schema === 'object' && schema.default !== undefined
    return `${memberName(name)}${required || hasDefault ? '' : '?'}: ${types.of(schema, 'request')}`
  })
}

/** `{ 200: AccountInit; default: Problem }`: the body that each declared reply has. */
function repliesType({ replies, replyMedia }: Operation, types: TypeTexts): string {
  const members = Object.entries(replies).map(([status, schema]) => {
    const isRaw = (replyMedia[status] ?? []).some((type) => !isJsonMedia(type))
    const json = schema === undefined ? [] : [types.of(schema, 'reply')]
    const all = isRaw ? [...json, 'RawReply'] : json
    return `${statusKey(status)}: ${all.length === 0 ? 'void' : all.join(' | ')}`
  })
  return members.length === 0 ? '{}' : `{ ${members.join('; ')} }`
}

function statusKey(status: string): string {
  return /^\d+$/.test(status) ? status : memberName(status)
}
