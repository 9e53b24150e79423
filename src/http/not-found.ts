import type { FastifyReply, FastifyRequest } from 'fastify'
import { RequestError } from '../core/errors.ts'
import { RefusedRequest } from './refusals.ts'
import { templateOf } from './template.ts'

/** What a path knows: its methods, in upper case. */
export interface KnownPath {
  readonly path: string
  readonly methods: readonly string[]
}

/**
 * Why a request has no route: nothing is served at its path (404), or other methods only (405 with Allow). OPTIONS is answered for every
 * path that is known.
 */
export class NotFound {
  readonly #known: readonly { readonly regex: RegExp; readonly methods: readonly string[] }[]

  constructor(known: readonly KnownPath[]) {
    this.#known = known.map(({ path, methods }) => ({ regex: templateOf(path).regex, methods }))
  }

  /** The error of a request without route; undefined where it was answered. */
  answer(request: FastifyRequest, reply: FastifyReply): RequestError | undefined {
    const { method } = request
    const path = pathOf(request.raw.url ?? '')
    const allow = this.#methodsOf(path)
    if (allow === undefined) {
      return new RequestError('NOT_FOUND', `Nothing is served at ${path.slice(0, 200)}`, { status: 404 })
    }
    if (method !== 'OPTIONS') return notAllowed(method, allow)
    reply.code(204).header('allow', `${allow}, OPTIONS`).send()
    return undefined
  }

  #methodsOf(path: string): string | undefined {
    if (path.length > longestMatched) return undefined
    const found = this.#known.filter(({ regex }) => regex.test(path)).flatMap(({ methods }) => methods)
    return found.length === 0 ? undefined : [...new Set(found)].join(', ')
  }
}

/** In characters. Templates with several parameters in one segment would match longer paths too slowly, and nobody honest sends them. */
const longestMatched = 2048

function pathOf(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1)
  // The router has decoded it before and refused what can't be.
  return decodeURI(path)
}

function notAllowed(method: string, allow: string): RequestError {
  return new RefusedRequest(405, 'METHOD_NOT_ALLOWED', {
    message: `${method} is not served at this path, only ${allow}`,
    headers: { allow },
  })
}
