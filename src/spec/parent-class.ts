import type { JsonSchema } from './api.ts'
import { fieldsOf } from './class-fields.ts'
import { Model, type ModelClass } from './models.ts'

/**
 * A model's prototype is linked to its parent's when it is first needed. The parent's constructor never runs, so that what it would make, fields and
 * private names, is refused, as is what would stand in the way of the model's data.
 */

/** A class of the service whose methods a model has. */
export type ParentClass = abstract new (...args: never) => object

/** The dotted name of a schema's parent; undefined where it has none. */
export function parentNameOf(schema: JsonSchema | undefined): string | undefined {
  const name = typeof schema === 'object' ? schema['x-parent'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** Why a class can't be the parent of a model with these properties, as a sentence; undefined where it can. */
export function unfitness(
  parent: ParentClass,
  { name, properties }: { readonly name: string; readonly properties: ReadonlySet<string> },
): string | undefined {
  const unfit = `The parent "${name}"`
  if (parent.prototype instanceof Model)
    return `${unfit} extends a model: write its methods with a "this" parameter instead, such as fullName(this: Account)`
  for (const { ancestor, prototype } of lineOf(parent)) {
    if (isNative(ancestor)) return `${unfit} extends ${ancestor.name}, whose constructor would have to run`
    const [field] = fieldsOf(sourceOf(ancestor))
    if (field?.startsWith('#') === true)
      return `${unfit} has the private name ${field}, which models can't have: its constructor never runs. Keep such data in a WeakMap, or outside the class`
    if (field !== undefined)
      return `${unfit} has the field ${field}, which its constructor would make, but never runs. Write "declare ${field}" for a property of the model, a method for a function, "static ${field}" for a constant`
    const members = Object.getOwnPropertyNames(prototype)
    const own = members.find((member) => modelMembers.has(member))
    if (own !== undefined) return `${unfit} has a ${own} of its own, but that is the model's`
    const taken = members.find((member) => properties.has(member) && member !== 'constructor')
    if (taken !== undefined) return `${unfit} has a member ${taken}, which is a property of the model`
  }
  return undefined
}

/** Puts a parent's prototype below a model's, and what every model has between them. */
export function linkParent(model: ModelClass, parent: ParentClass): void {
  const link = Object.create(parent.prototype, Object.getOwnPropertyDescriptors(Model.prototype))
  Object.setPrototypeOf(model.prototype, link)
}

/** The names of what instances have on their prototypes: methods and accessors of the model and of its parent. */
export function memberNames(model: ModelClass): ReadonlySet<string> {
  const names: string[] = []
  for (let at: object = model.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at))
    names.push(...Object.getOwnPropertyNames(at))
  return new Set(names)
}

const modelMembers = new Set(['toJSON', 'clone'])

interface Ancestor {
  readonly ancestor: ParentClass
  readonly prototype: object
}

/** A class and what it extends. */
function lineOf(parent: ParentClass): readonly Ancestor[] {
  const line: Ancestor[] = []
  let prototype: object | null = parent.prototype
  while (prototype !== null && prototype !== Object.prototype && prototype !== Model.prototype) {
    // A class's prototype has the class as its constructor.
    line.push({ ancestor: prototype.constructor as unknown as ParentClass, prototype })
    prototype = Object.getPrototypeOf(prototype)
  }
  return line
}

function sourceOf(ancestor: ParentClass): string {
  const source = Function.prototype.toString.call(ancestor)
  return source.startsWith('class') ? source : ''
}

function isNative(ancestor: ParentClass): boolean {
  return Function.prototype.toString.call(ancestor).endsWith('{ [native code] }')
}
