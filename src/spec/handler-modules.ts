import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asError, type Fault } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { importFault } from './import-fault.ts'

/** The modules of a service's handlers: found below its folder, each imported once, those that can't be kept as faults. */
export class HandlerModules {
  static readonly #exports = new Map<string, Exports>()
  readonly #root: string
  readonly #imported = new Map<string, Promise<Exports | undefined>>()
  readonly #faults: Fault[] = []

  constructor(root: string) {
    this.#root = root
  }

  /** What a module exports that has been imported by anyone in this process; undefined where none has. */
  static imported(file: string): Exports | undefined {
    return HandlerModules.#exports.get(file)
  }

  /** One fault for each module that could not be imported. */
  get faults(): readonly Fault[] {
    return this.#faults
  }

  /** The file of a module named without its ending (`shop/accounts`); undefined where there is none. */
  find(name: string): string | undefined {
    return endings.map((ending) => join(this.#root, name + ending)).find((file) => existsSync(file))
  }

  /** The names of the modules in a folder below the root, and in those below it where `deep`; without their endings. */
  namesIn(folder: string, { deep }: { readonly deep: boolean }): readonly string[] {
    const path = join(this.#root, folder)
    if (!existsSync(path)) return []
    const files = readdirSync(path, { recursive: deep, encoding: 'utf8' }).filter(isModule)
    return files.map((file) => join(folder, file.replace(/\.[mc]?[jt]s$/, ''))).sort()
  }

  /** What to do where there is no module of a name that should export something: take a near one, or make it. */
  hint(module: string, exported: string, kind = ''): string {
    const folder = dirname(module)
    // Names without dots are looked for in handlers, so that is where people put modules.
    const near =
      this.find(`handlers/${module}`) === undefined
        ? nearest(module, this.namesIn(folder === '.' ? '' : folder, { deep: false }))
        : `handlers/${module}`
    return near === undefined
      ? ` Make it, and export ${kind}${exported} from it.`
      : ` Did you mean "${near.replaceAll('/', '.')}.${exported}"?`
  }

  /** A module's exports; undefined, with a fault, where it can't be imported. */
  import(file: string): Promise<Exports | undefined> {
    const known = this.#imported.get(file)
    if (known !== undefined) return known
    const exports = this.#import(file)
    this.#imported.set(file, exports)
    return exports
  }

  /** A file as it is named in messages. */
  label(file: string): string {
    return relative(this.#root, file)
  }

  async #import(file: string): Promise<Exports | undefined> {
    try {
      const exports: Exports = await import(pathToFileURL(file).href)
      HandlerModules.#exports.set(file, exports)
      return exports
    } catch (error) {
      this.#faults.push(importFault(file, asError(error), this.#root))
      return undefined
    }
  }
}

export type Exports = Readonly<Record<string, unknown>>

/** In this order; a service that was built has no .ts beside its .js. */
const endings = ['.ts', '.mts', '.js', '.mjs']

function isModule(file: string): boolean {
  if (!endings.some((ending) => file.endsWith(ending))) return false
  return !/(^|\/)(\.|node_modules\/)|\.(gen|d|test|spec)\.[mc]?[jt]s$/.test(file)
}
