import type { Api, JsonSchema } from './api.ts'
import { docComment } from './doc-comment.ts'
import type { EmitNames } from './emit-names.ts'
import { isOpen, memberName, quoted, type Side, type TypeTexts } from './emit-types.ts'
import { parentNameOf } from './parent-class.ts'
import { escapeSegment } from './pointers.ts'
import { isAlias, modelNameOf, type Shape, shapeOf } from './shape.ts'

/** The named schemas of an API as text: a class with its constructor's data for each model, a type for everything else. */
export class ModelTexts {
  readonly #api: Api
  readonly #names: EmitNames
  readonly #types: TypeTexts
  readonly #parents = new Map<string, { readonly dotted: string; readonly alias: string }>()

  constructor(api: Api, names: EmitNames, types: TypeTexts) {
    this.#api = api
    this.#names = names
    this.#types = types
  }

  /** Models are to have the members of their parents, which are classes of the very service that the file is for. */
  withParents(): this {
    for (const [name, schema] of Object.entries(this.#api.schemas)) {
      const dotted = parentNameOf(schema)
      if (dotted === undefined || !this.#isModel(name)) continue
      const className = this.#names.ofRef(`#/schemas/${escapeSegment(name)}`)
      this.#parents.set(name, { dotted, alias: this.#names.unique(`${className}Parent`) })
    }
    return this
  }

  /** The declarations of all named schemas, and of the parts that are referred to. */
  declarations(): string[] {
    const named = Object.keys(this.#api.schemas).map((name) =>
      this.#isModel(name)
        ? this.#model(name)
        : this.#alias(`#/schemas/${escapeSegment(name)}`, this.#api.schemas[name]),
    )
    const parts = Object.entries(this.#api.parts).map(([pointer, schema]) =>
      this.#alias(`#/parts/${escapeSegment(pointer)}`, schema),
    )
    return [...named, ...parts]
  }

  /** The imports of parents' types; the specs' folder is beside their modules. */
  imports(): string[] {
    return [...this.#parents.values()].map(({ dotted, alias }) => {
      const [exported = '', ...folders] = dotted.split('.').reverse()
      const module = `../${folders.reverse().join('/')}.ts`
      return `import type { ${exported === alias ? alias : `${exported} as ${alias}`} } from ${quoted(module)}`
    })
  }

  /** The lines that tell a model's parent at run time. */
  parents(): string[] {
    return [...this.#parents].map(([name, { dotted }]) => `${tableKey(name)}: ${quoted(dotted)}`)
  }

  /** `schema name: class` of every model. */
  classes(): readonly (readonly [string, string])[] {
    return Object.keys(this.#api.schemas)
      .filter((name) => this.#isModel(name))
      .map((name) => [name, this.#names.ofRef(`#/schemas/${escapeSegment(name)}`)])
  }

  #isModel(name: string): boolean {
    const schema = this.#api.schemas[name] ?? true
    return !isAlias(schema) && modelNameOf(this.#api, { $ref: `#/schemas/${escapeSegment(name)}` }) === name
  }

  #model(name: string): string {
    const schema = this.#api.schemas[name] ?? true
    const shape = shapeOf(this.#api, schema)
    const ref = `#/schemas/${escapeSegment(name)}`
    const className = this.#names.ofRef(ref)
    const opening = `${docComment(schema)}export class ${className} extends Model<${this.#names.initOf(className)}> {`
    const made = `${opening}${block(this.#fields(shape, 'value'))}${this.#parentMembers(name, className)}`
    const others = this.#types.sidesOf(ref).filter((side) => side !== 'value')
    return [made, ...others.map((side) => this.#interface(name, { shape, side }))].join('\n\n')
  }

  /** What a model is on another side than that of its class. */
  #interface(name: string, { shape, side }: { shape: Shape; side: Exclude<Side, 'value'> }): string {
    const ref = `#/schemas/${escapeSegment(name)}`
    const className = this.#names.ofRef(ref)
    const words = side === 'init' ? `What \`new ${className}\` takes.` : meaningOf(side, className)
    const opening = `/** ${words} */\nexport interface ${this.#types.nameOf(ref, side)}`
    if (side !== 'request') return `${opening} {${block(this.#init(shape, side))}`
    const parent = this.#parents.get(name)
    const bases = parent === undefined ? 'Model' : `Model, Pick<${parent.alias}, keyof ${parent.alias}>`
    return `${opening} extends ${bases} {${block(this.#fields(shape, side))}`
  }

  /** What a model has of its parent: a type only, for the parent's module is not to be evaluated when this one is imported. */
  #parentMembers(name: string, className: string): string {
    const parent = this.#parents.get(name)
    if (parent === undefined) return ''
    return `\n\n/** What ${className} has of its parent. */\nexport interface ${className} extends Pick<${parent.alias}, keyof ${parent.alias}> {}`
  }

  #fields(shape: Shape, side: 'value' | 'request'): string[] {
    const declared = side === 'value' ? 'declare ' : ''
    return [...this.#types.members(shape, side)].flatMap(([name, text]) => {
      // A field of such a name would take the place of the method; its value is there all the same.
      if (ownNames.has(name)) return []
      const [schema = true] = shape.properties.get(name) ?? []
      return [`${docComment(schema, '  ')}  ${declared}${text}`]
    })
  }

  #init(shape: Shape, side: Side): string[] {
    const members = [...this.#types.members(shape, side)].map(([name, text]) => {
      // A model has a method there: its own type would keep a model from being what makes another.
      return `  readonly ${ownNames.has(name) ? `${memberName(name)}?: unknown` : text}`
    })
    if (isOpen(shape) || (shape.additional === undefined && shape.properties.size === 0))
      members.push('  readonly [name: string]: unknown')
    return members
  }

  #alias(ref: string, schema: JsonSchema = true): string {
    const types = this.#types.sidesOf(ref).map((side) => {
      const words =
        side === 'value' ? docComment(schema) : `/** ${meaningOf(side, this.#names.ofRef(ref))} */\n`
      return `${words}export type ${this.#types.nameOf(ref, side)} = ${this.#types.of(schema, side)}`
    })
    return types.join('\n\n')
  }
}

/** What the doc comment of a type says that isn't the one of the values. */
function meaningOf(side: Exclude<Side, 'value'>, name: string): string {
  return {
    init: `What may be given as ${name}.`,
    request: `${name} as it comes in requests: without what is readOnly.`,
    sent: `What may be sent as ${name} in requests.`,
    reply: `What may be given as ${name} in replies: without what is writeOnly.`,
  }[side]
}

function block(lines: readonly string[]): string {
  return lines.length === 0 ? '}' : `\n${lines.join('\n')}\n}`
}

/** What every model has on its prototype. */
const ownNames = new Set(['constructor', 'toJSON', 'clone'])

/** `{ Account, 'io.k8s.Pod': IoK8sPod }`, one a line. */
export function classTable(classes: readonly (readonly [string, string])[]): string {
  if (classes.length === 0) return '{}'
  const lines = classes.map(([schema, name]) => {
    return schema === name ? `  ${name},` : `  ${tableKey(schema)}: ${name},`
  })
  return `{\n${lines.join('\n')}\n}`
}

/** A plain __proto__ key would set the table's prototype. */
function tableKey(schema: string): string {
  return schema === '__proto__' ? '["__proto__"]' : memberName(schema)
}
