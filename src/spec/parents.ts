import { createRequire } from 'node:module'
import { asError, codeOf, type Fault, SetupError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { Api } from './api.ts'
import { type Exports, HandlerModules } from './handler-modules.ts'
import { locateFaults, type PlacedFault } from './locate.ts'
import { type ParentClass, parentNameOf, unfitness } from './parent-class.ts'
import { below } from './pointers.ts'
import { shapeOf } from './shape.ts'

/**
 * Finds the parents of models: classes of the service that give them their methods, named by `x-parent` and found like handlers.
 * `shop.models.AccountParent` is exported by `<root>/shop/models.ts` (or .mts, .js, .mjs).
 */

/**
 * Imports the parents of all models of a service.
 * @throws SetupError `PARENT_UNFIT` with every class that is missing or can't be a parent, and every module that can't be imported.
 */
export async function importParents(apis: readonly Api[], root: string): Promise<void> {
  const modules = new HandlerModules(root)
  const faults: Fault[] = []
  for (const api of apis) {
    const placed: PlacedFault[] = []
    for (const [model, schema] of Object.entries(api.schemas)) {
      const name = parentNameOf(schema)
      if (name === undefined) continue
      const file = modules.find(moduleOf(name))
      const exports = file === undefined ? undefined : await modules.import(file)
      // One that can't be imported has its fault already.
      if (file !== undefined && exports === undefined) continue
      const found = parentIn(name, exports, modules)
      const properties = new Set(shapeOf(api, schema).properties.keys())
      const message = typeof found === 'string' ? found : unfitness(found, { name, properties })
      if (message !== undefined) placed.push({ pointer: below(api.schemasAt, model, 'x-parent'), message })
    }
    faults.push(...locateFaults(api.file, placed))
  }
  if (faults.length + modules.faults.length > 0)
    throw new SetupError('PARENT_UNFIT', [...modules.faults, ...faults])
}

/**
 * The class of a parent's name, at once: from its module where that has been imported, which is imported now where not.
 * @throws SetupError `PARENT_UNFIT`
 */
export function parentClass(name: string, root: string): ParentClass {
  const modules = new HandlerModules(root)
  const file = modules.find(moduleOf(name))
  const found = parentIn(name, file === undefined ? undefined : exportsOf(file, name), modules)
  const problem = typeof found === 'string' ? found : unfitness(found, { name, properties: new Set() })
  if (typeof found !== 'string' && problem === undefined) return found
  throw new SetupError('PARENT_UNFIT', [{ message: String(problem) }])
}

function moduleOf(name: string): string {
  return name.split('.').slice(0, -1).join('/')
}

const require = createRequire(import.meta.url)

function exportsOf(file: string, name: string): Exports {
  const imported = HandlerModules.imported(file)
  if (imported !== undefined) return imported
  try {
    // A module's namespace, as import() gives it.
    return require(file) as Exports
  } catch (error) {
    throw new SetupError('PARENT_UNFIT', [
      { file, message: `This module can't be imported for the parent "${name}": ${whyNot(error)}` },
    ])
  }
}

function whyNot(error: unknown): string {
  if (codeOf(error) === 'ERR_REQUIRE_CYCLE_MODULE')
    return 'a model of it is made while it is still being loaded. Make that model in a function, or in another module'
  if (codeOf(error) === 'ERR_REQUIRE_ASYNC_MODULE')
    return 'it awaits something at its top level, and a model of it is made before it is loaded. Import it before'
  return asError(error).message
}

/** The class that a module exports, or a sentence that says why there is none. */
function parentIn(name: string, exports: Exports | undefined, modules: HandlerModules): ParentClass | string {
  const module = moduleOf(name)
  const exported = name.slice(module.length + 1)
  if (exports === undefined)
    return `The parent "${name}" is nowhere: there is no ${module}.ts.${modules.hint(module, exported, 'the class ')}`
  const found = exports[exported]
  // A class is a function; what isn't one is told below.
  if (typeof found === 'function' && typeof found.prototype === 'object') return found as ParentClass
  if (found !== undefined) return `The parent "${name}" is no class`
  const near = nearest(exported, Object.keys(exports))
  return `The parent "${name}" is nowhere: ${module}.ts does not export ${exported}.${near === undefined ? '' : ` Did you mean "${near}"?`}`
}
