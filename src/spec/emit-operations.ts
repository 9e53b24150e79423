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

/** What a handler takes and gives: the body, if any, then all parameters by name. */
function signatureOf(
  { body, parameters, replies, replyMedia }: Operation,
  types: TypeTexts,
  bodies: BodyTypes,
): string {
  const isFirst = body !== undefined && !body.asParameters
  const first = isFirst ? `body: ${bodies.of(body)}${body.required ? '' : ' | undefined'}` : undefined
  const fields = body?.asParameters === true ? bodies.membersOf(body) : []
  const all = [...members(parameters, types), ...fields]
  const named = all.length === 0 ? undefined : `parameters: { ${all.join('; ')} }`
  const taken = [first, named].filter((text) => text !== undefined).join(', ')
  return `(${taken}) => Result<${replyType({ replies, replyMedia }, types)}>`
}

function members(parameters: readonly Parameter[], types: TypeTexts): string[] {
  const byName = new Map(parameters.toReversed().map((parameter) => [parameter.name, parameter]))
  return [...byName.values()].toReversed().map(({ name, required, schema }) => {
    const hasDefault = typeof schema === 'object' && schema.default !== undefined
    return `${memberName(name)}${required || hasDefault ? '' : '?'}: ${types.of(schema, 'value')}`
  })
}

/** The bodies of the replies that are successes, else of the default reply. */
function replyType(
  { replies, replyMedia }: Pick<Operation, 'replies' | 'replyMedia'>,
  types: TypeTexts,
): string {
  const successes = Object.keys(replies).filter((status) => status.startsWith('2'))
  const texts = (successes.length > 0 ? successes : ['default']).flatMap((status) => {
    const schema = replies[status]
    const isRaw = (replyMedia[status] ?? []).some((type) => !isJsonMedia(type))
    const json = schema === undefined ? [] : [types.of(schema, 'init')]
    const all = isRaw ? [...json, 'RawReply'] : json
    return all.length === 0 ? ['void'] : all
  })
  return [...new Set(texts)].join(' | ')
}
