import { nearest } from '../core/nearest.ts'
import type { Exports, HandlerModules } from './handler-modules.ts'

/** A function that was found, a sentence that says why not, or undefined where its module has a fault already. */
export type Found = AnyFunction | string | undefined

type AnyFunction = (...args: never) => unknown

/** Finds functions by the names that specs bind operations to. */
export class FunctionFinder {
  readonly #modules: HandlerModules
  readonly #provided: ReadonlyMap<string, AnyFunction>

  /** `provided` are functions that need no module of the service. */
  constructor(modules: HandlerModules, provided: ReadonlyMap<string, AnyFunction> = new Map()) {
    this.#modules = modules
    this.#provided = provided
  }

  async find(name: string): Promise<Found> {
    const segments = name.split('.')
    const exported = segments.pop() ?? ''
    if (segments.length === 0) return await this.#findAnywhere(name)
    if (![...segments, exported].every((segment) => /^[\w-]+$/.test(segment))) {
      return `"${name}" is not the dotted name of a function, such as shop.accounts.do_signup`
    }
    return await this.#findIn(segments.join('/'), exported, name)
  }

  async #findIn(module: string, exported: string, name: string): Promise<Found> {
    const file = this.#modules.find(module)
    const provided = this.#provided.get(name)
    if (file === undefined && provided !== undefined) return provided
    if (file === undefined)
      return `"${name}" is bound to no function: there is no ${module}.ts.${this.#modules.hint(module, exported)}`
    const exports = await this.#modules.import(file)
    if (exports === undefined) return undefined
    const found = exportOf(exports, exported)
    if (isFunction(found)) return found
    const label = this.#modules.label(file)
    if (found !== undefined)
      return `"${name}" is bound to no function: ${exported} of ${label} is not one, but of type ${typeof found}`
    return `"${name}" is bound to no function: ${label} does not export ${spellings(exported).join(' or ')}.${nearestExport(exports, exported)}`
  }

  /** A name without dots: of handlers.ts, or of a module below handlers/. */
  async #findAnywhere(name: string): Promise<Found> {
    const modules = [
      ...this.#modules.namesIn('', { deep: false }).filter((module) => module === 'handlers'),
      ...this.#modules.namesIn('handlers', { deep: true }),
    ]
    const files = modules.map((module) => this.#modules.find(module)).filter((file) => file !== undefined)
    const imported = await Promise.all(
      files.map(async (file) => ({ file, exports: await this.#modules.import(file) })),
    )
    const offers = imported.flatMap(({ file, exports = {} }) => {
      const found = exportOf(exports, name)
      return isFunction(found) ? [{ file, found }] : []
    })
    const [first] = offers
    if (first !== undefined && new Set(offers.map(({ found }) => found)).size === 1) return first.found
    if (first !== undefined) {
      const labels = offers.map(({ file }) => this.#modules.label(file)).join(' and ')
      return `"${name}" could be bound to several functions: ${labels} export it. Say which with x-bind-server: handlers.<module>.${camelCase(name)}`
    }
    if (imported.some(({ exports }) => exports === undefined)) return undefined
    return notAnywhere(
      name,
      files.length,
      imported.map(({ exports = {} }) => exports),
    )
  }
}

function notAnywhere(name: string, files: number, exports: readonly Exports[]): string {
  const wanted = spellings(name).join(' or ')
  if (files === 0) {
    return `"${name}" is bound to no function: there is neither handlers.ts nor a module below handlers/. Export ${wanted} from one, or bind it with x-bind-server: <module>.<function>`
  }
  return `"${name}" is bound to no function: neither handlers.ts nor a module below handlers/ exports ${wanted}.${nearestExport(Object.assign({}, ...exports), name)}`
}

function exportOf(exports: Exports, name: string): unknown {
  const spelling = spellings(name).find((one) => exports[one] !== undefined)
  return spelling === undefined ? undefined : exports[spelling]
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function nearestExport(exports: Exports, name: string): string {
  const names = Object.keys(exports).filter((key) => typeof exports[key] === 'function')
  const near = nearest(name, names)
  if (near !== undefined) return ` Did you mean "${near}"?`
  return names.length === 0 ? ' It exports no functions.' : ` It exports ${names.slice(0, 8).join(', ')}.`
}

/** How a function of this name may be spelt: as it is, in camel case, in snake case. */
function spellings(name: string): readonly string[] {
  const camel = camelCase(name)
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const asIs = /^[A-Za-z_$][\w$]*$/.test(name) ? [name] : []
  return [...new Set([...asIs, camel, snake])]
}

/** `do_signup_user` and `repos/get-content` as JavaScript writes names. */
export function camelCase(name: string): string {
  const words = name.replace(/^[^A-Za-z]+/, '').split(/[^A-Za-z0-9]+/)
  return words
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('')
}
