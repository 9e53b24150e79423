import type { Api, Operation } from './api.ts'
import type { Directions } from './directions.ts'
import { camelCase } from './function-finder.ts'
import { segmentsOf } from './pointers.ts'

/** The names that a generated file gives to schemas and operations: unique, the same each time, and legal in TypeScript. */
export class EmitNames {
  readonly #taken = new Set(['Date', 'Model', 'RawReply', 'Result', 'URL', 'UploadedFile', 'defineModels'])
  readonly #schemas = new Map<string, string>()
  readonly #parts = new Map<string, string>()
  readonly #inits = new Map<string, string>()
  readonly #requests = new Map<string, string>()
  readonly #replies = new Map<string, string>()

  constructor(api: Api) {
    for (const name of Object.keys(api.schemas)) this.#schemas.set(name, this.unique(pascalCase(name)))
    for (const pointer of Object.keys(api.parts)) {
      this.#parts.set(pointer, this.unique(pascalCase(segmentsOf(pointer).at(-1) ?? 'Part')))
    }
    for (const name of [...this.#schemas.values(), ...this.#parts.values()]) {
      this.#inits.set(name, this.unique(`${name}Init`))
    }
  }

  /** Names types of their own for what has another form in requests, or in replies. */
  addDirections({ inRequests, inReplies }: Directions): void {
    for (const name of [...inRequests].map((ref) => this.ofRef(ref))) {
      const request = this.unique(`${name}Request`)
      this.#requests.set(name, request)
      this.#inits.set(request, this.unique(`${request}Init`))
    }
    for (const name of [...inReplies].map((ref) => this.ofRef(ref)))
      this.#replies.set(name, this.unique(`${name}Reply`))
  }

  /** The type of a named schema, or of the part at a pointer. */
  ofRef(ref: string): string {
    const [, kind = '', key = ''] = /^#\/(schemas|parts)\/(.*)$/.exec(ref) ?? []
    const [name = ''] = segmentsOf(`/${key}`)
    return (kind === 'parts' ? this.#parts : this.#schemas).get(name) ?? 'unknown'
  }

  /** What goes into the type of this name: data for its constructor. */
  initOf(name: string): string {
    return this.#inits.get(name) ?? name
  }

  /** What a value of the type of this name is in a request. */
  requestOf(name: string): string {
    return this.#requests.get(name) ?? name
  }

  /** What is given as a value of the type of this name in a reply. */
  replyOf(name: string): string {
    return this.#replies.get(name) ?? name
  }

  ofOperation({ binding, method, path }: Operation): string {
    return pascalCase(binding?.split('.').at(-1) ?? `${method} ${path}`)
  }

  /** A name of a spec or a file as TypeScript writes types. */
  pascalCase(name: string): string {
    return pascalCase(name)
  }

  /** `name`, with a number where it is taken. */
  unique(name: string): string {
    let free = name
    for (let number = 2; this.#taken.has(free); number++) free = `${name}${number}`
    this.#taken.add(free)
    return free
  }
}

/** A name of a spec as TypeScript writes types: `do_signup` becomes `DoSignup`; what is a type name already stays. */
function pascalCase(name: string): string {
  if (/^[A-Z]\w*$/.test(name)) return name
  const camel = camelCase(name)
  return camel === '' ? 'Type' : camel.charAt(0).toUpperCase() + camel.slice(1)
}
