import { basename } from 'node:path'
import type { Api, BodyContent, JsonSchema, Operation, Parameter } from './api.ts'
import { isMarked } from './directions.ts'
import { comment } from './doc-comment.ts'
import { modelDefinition, shortHash } from './emit.ts'
import { BodyTypes } from './emit-bodies.ts'
import { ModelTexts } from './emit-models.ts'
import { EmitNames } from './emit-names.ts'
import { takenBy } from './emit-operations.ts'
import { memberName, quoted, type Side, TypeTexts } from './emit-types.ts'
import { FormFields } from './form-fields.ts'
import type { Output } from './generate.ts'
import { operationName } from './operation-name.ts'
import { escapeSegment } from './pointers.ts'
import type { ReadOptions } from './read-api.ts'
import { shapeOf } from './shape.ts'

export interface ClientFile extends ReadOptions {
  /** The client's name. */
  readonly name: string
  /** The file to write. */
  readonly file: string
  /** Whether the spec is one of the service's own, whose models are in `apis/<name>.gen.ts` already. */
  readonly isOwn: boolean
}

/** What is generated for a client: `clients/<name>.gen.ts`, by which the editor knows the operations of `client('<name>')`. */
export function clientFile({ name, file, isOwn, basePath }: ClientFile): Output {
  return {
    file,
    basePath,
    form: `client, base path: ${basePath}`,
    text: (api) => new ClientText(api, name).text(isOwn),
  }
}

class ClientText {
  readonly #api: Api
  readonly #client: string
  readonly #names: EmitNames
  readonly #types: TypeTexts
  readonly #bodies: BodyTypes
  /** What the generated file calls ClientCall: a schema may have that name. */
  readonly #call: string
  /** The same for SentFile. */
  readonly #file: string
  readonly #interface: string

  constructor(api: Api, client: string) {
    this.#api = api
    this.#client = client
    this.#names = new EmitNames(api)
    this.#types = new TypeTexts(api, this.#names)
    this.#bodies = new BodyTypes(api, this.#types)
    this.#call = this.#names.unique('ClientCall')
    this.#file = this.#names.unique('SentFile')
    this.#interface = this.#names.unique(`${this.#names.pascalCase(client)}Client`)
  }

  text(isOwn: boolean): string {
    const operations = this.#operations()
    const parts = isOwn ? [this.#import(operations), operations] : [operations, ...this.#models()]
    return `/* eslint-disable */\n${this.#imports(isOwn, operations)}\n${[...parts, this.#declaration(operations)].filter((part) => part !== '').join('\n\n')}\n`
  }

  #imports(isOwn: boolean, operations: string): string {
    const types = [
      ['ClientCall', this.#call],
      ['SentFile', this.#file],
      ['UploadedFile', 'UploadedFile'],
    ] as const
    const used = types
      .filter(([, alias]) => new RegExp(`\\b${alias}\\b`).test(operations))
      .map(([name, alias]) => (name === alias ? `type ${name}` : `type ${name} as ${alias}`))
    const hasModels = !isOwn && this.#texts().classes().length > 0
    const names = [...used, ...(hasModels ? ['defineModels', 'Model'] : [])]
    return names.length === 0 ? 'export {}\n' : `import { ${names.join(', ')} } from 'macaron'\n`
  }

  #texts(): ModelTexts {
    return new ModelTexts(this.#api, this.#names, this.#types)
  }

  #models(): string[] {
    const texts = this.#texts()
    return [...texts.declarations(), ...modelDefinition(this.#api, texts.classes())]
  }

  /** The models of the service's own API that the operations name. */
  #import(operations: string): string {
    const code = operations.replace(/\/\*[\s\S]*?\*\/|'[^']*'|"(?:\\.|[^"\\])*"/g, '')
    const used = new Set(code.match(/[A-Za-z_$][\w$]*/g))
    const names = Object.keys(this.#api.schemas)
      .map((name) => `#/schemas/${escapeSegment(name)}`)
      .concat(Object.keys(this.#api.parts).map((pointer) => `#/parts/${escapeSegment(pointer)}`))
      .flatMap((ref) => this.#types.sidesOf(ref).map((side) => this.#types.nameOf(ref, side)))
      .filter((name) => used.has(name))
    if (names.length === 0) return ''
    const file = `../apis/${basename(this.#api.file).replace(/\.\w+$/, '')}.gen.ts`
    return `import type { ${[...new Set(names)].join(', ')} } from ${quoted(file)}`
  }

  #operations(): string {
    const members = this.#api.operations.map((operation) => this.#operation(operation))
    const opening = `${comment([`The operations of ${this.#api.title}.`])}export interface ${this.#interface} {`
    return members.length === 0 ? `${opening}}` : `${opening}\n${members.join('\n')}\n}`
  }

  #operation(operation: Operation): string {
    const { method, path, summary = '', replies } = operation
    const [body, answer] = [
      replyType(replies, this.#types, 'value'),
      replyType(replies, this.#types, 'reply'),
    ]
    const sent = this.#arguments(operation)
    const taken = `[${takenBy(operation, this.#types, this.#bodies)}]`
    const forFakes = taken !== sent ? [answer, taken] : answer !== body ? [answer] : []
    const types = [sent, body, ...forFakes]
    const words = comment([`${method.toUpperCase()} ${path}`, summary], '  ')
    return `${words}  readonly ${memberName(operationName(operation))}: ${this.#call}<${types.join(', ')}>`
  }

  /** The body, where there is one, then one object of named parameters. */
  #arguments({ body, parameters }: Operation): string {
    const form = body?.asParameters === true ? body.content[0] : undefined
    const fields = form === undefined ? [] : this.#formMembers(form, true)
    const members = [...namedMembers(parameters, this.#types), ...fields]
    const needsNamed = members.some(({ required }) => required)
    const named = members.length === 0 ? [] : [`parameters${needsNamed ? '' : '?'}: { ${textsOf(members)} }`]
    const [content] = body?.content ?? []
    if (body === undefined || content === undefined || form !== undefined) return `[${named.join('')}]`
    const type = this.#bodyType(content)
    const first = body.required
      ? `body: ${type}`
      : needsNamed
        ? `body: ${type} | undefined`
        : `body?: ${type}`
    return `[${[first, ...named].join(', ')}]`
  }

  /** Clients send the first media type that the operation takes. */
  #bodyType(content: BodyContent): string {
    if (content.kind === 'file') return this.#file
    const hasFiles = content.kind === 'multipart' && new FormFields(this.#api, content, false).files.size > 0
    return hasFiles
      ? `{ ${textsOf(this.#formMembers(content, false))} }`
      : this.#types.of(content.schema, 'sent')
  }

  #formMembers(content: BodyContent, asParameters: boolean): Member[] {
    const { files } = new FormFields(this.#api, content, asParameters)
    const shape = shapeOf(this.#api, content.schema)
    return [...shape.properties].flatMap(([name, schemas]) => {
      if (isMarked(this.#api, schemas, 'readOnly')) return []
      const file = files.get(name)
      const type =
        file === undefined
          ? this.#types.ofProperty(schemas, 'sent')
          : `${file.many ? 'readonly ' : ''}${this.#file}${file.many ? '[]' : ''}`
      const hasDefault = schemas.some((schema) => typeof schema === 'object' && schema.default !== undefined)
      return [memberOf(name, type, shape.required.has(name) && !hasDefault)]
    })
  }

  /** Gives `client('<name>')` its type, under a key that no other file has: another service may have a client of the name. */
  #declaration(operations: string): string {
    const key = quoted(`${this.#client} ${shortHash(operations)}`)
    return `declare module 'macaron' {\n  interface ClientTypes {\n    ${key}: { readonly ${memberName(this.#client)}: ${this.#interface} }\n  }\n}`
  }
}

interface Member {
  readonly text: string
  readonly required: boolean
}

/** Each name once: the first place that has it is the one that callers fill. */
function namedMembers(parameters: readonly Parameter[], types: TypeTexts): Member[] {
  const byName = Map.groupBy(parameters, ({ name }) => name)
  return [...byName].map(([name, sameName]) => {
    const required = sameName.some((parameter) => parameter.required)
    return memberOf(name, types.of(sameName[0]?.schema ?? true, 'sent'), required)
  })
}

function memberOf(name: string, type: string, required: boolean): Member {
  return {
    required,
    text: `${memberName(name)}${required ? '' : '?'}: ${type}${required ? '' : ' | undefined'}`,
  }
}

function textsOf(members: readonly Member[]): string {
  return members.map(({ text }) => text).join('; ')
}

/** The bodies of the replies that a call resolves with: successes, else declared redirections. */
function replyType(replies: Operation['replies'], types: TypeTexts, side: Side): string {
  const found = ['2', '3'].map((digit) =>
    Object.entries(replies).filter(([status]) => status.startsWith(digit)),
  )
  const successes = found.find((entries) => entries.length > 0)?.map(([, schema]) => schema) ?? [
    replies.default,
  ]
  const texts = successes.map((schema?: JsonSchema) =>
    schema === undefined ? 'undefined' : types.of(schema, side),
  )
  const unique = [...new Set(texts)]
  return unique.length === 1 && unique[0] === 'undefined' ? 'void' : unique.join(' | ')
}
