import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RequestError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Api } from '../spec/api.ts'
import { isJson } from '../spec/parse.ts'
import { pageScript, pageStyle } from './docs/page-files.ts'
import { apiPage, listPage } from './docs/pages.ts'
import { PreparedThings } from './docs/prepared.ts'
import type { Preparation, Prepared } from './docs/preparing.ts'
import type { Refuse } from './refuse.ts'
import type { Route } from './route.ts'
import { namedParams, templateOf } from './template.ts'

/**
 * The docs of a service: `/doc` lists its APIs, `/doc/<api>` is the page of one, with requests to try, `/doc/<api>.yaml` and `.json` its spec. Everything
 * is read or made when it is first asked for, and nothing comes from another host.
 */
export class Docs {
  readonly #service: string
  readonly #apis: readonly Api[]
  readonly #refuse: Refuse
  readonly #things = new PreparedThings()

  constructor({ name, apis, refuse }: DocsOptions) {
    this.#service = name
    this.#apis = apis
    this.#refuse = refuse
  }

  /** The paths that no spec claims for itself. */
  pathsBeside(routes: readonly Route[]): readonly string[] {
    const reads = routes.filter(({ operation }) => ['get', 'head'].includes(operation.method))
    const claimed = new Set(reads.map(({ operation }) => withoutNames(operation.path)))
    return Object.keys(this.#answers).filter((path) => !claimed.has(withoutNames(path)))
  }

  /** Lets the router serve them. */
  add(app: FastifyInstance, paths: readonly string[]): void {
    for (const path of paths) {
      const template = templateOf(path)
      app.route({
        method: docsMethods,
        url: template.pattern,
        onRequest: (request: FastifyRequest, reply: FastifyReply) => {
          const { name = '' } = namedParams(template, request.params)
          void this.#serve(path, name, { request, reply })
        },
        handler: () => undefined,
      })
    }
  }

  readonly #answers: Readonly<Record<string, (name: string) => DocsAnswer | Promise<DocsAnswer>>> = {
    '/doc': () => page(listPage(this.#service, this.#apis)),
    '/doc/': () => ({ type: html, text: '', location: '../doc' }),
    '/doc/{name}': (name) => this.#named(name),
    '/doc/assets/{name}': (name) => this.#asset(name),
  }

  async #serve(path: string, name: string, { request, reply }: Ends): Promise<void> {
    try {
      const answer = await this.#answers[path]?.(name)
      if (answer !== undefined) await send(answer, { request, reply })
    } catch (error) {
      this.#refuse(request, reply, error)
    }
  }

  async #named(name: string): Promise<DocsAnswer> {
    const api = this.#find(name)
    if (api !== undefined) return page(apiPage(this.#service, api))
    const [, spec, notation] = /^(.*)\.(yaml|json)$/.exec(name) ?? []
    const owner = spec === undefined ? undefined : this.#find(spec)
    if (owner === undefined) throw this.#unknown(spec ?? name)
    return await this.#spec(owner, notation === 'json' ? 'json' : 'yaml')
  }

  /** The spec's file as it is; in the other notation what it says. */
  async #spec({ name, file }: Api, what: 'json' | 'yaml'): Promise<DocsAnswer> {
    const type = what === 'json' ? json : 'application/yaml; charset=utf-8'
    if (isJson(file) === (what === 'json')) return { type, text: await readFile(file) }
    return { type, ...(await this.#prepared(`${name}.${what}`, { what, file })) }
  }

  async #asset(name: string): Promise<DocsAnswer> {
    if (name === 'page.js') return { type: javascript, text: pageScript }
    if (name === 'page.css') return { type: 'text/css; charset=utf-8', text: pageStyle }
    if (name === 'scalar.js')
      return { type: javascript, ...(await this.#prepared(name, { what: 'program' })) }
    const api = this.#find(name.replace(/\.json$/, ''))
    if (api === undefined || !name.endsWith('.json')) throw this.#unknown(name)
    const operations = api.operations.map(({ method, path, authenticated }) => ({
      method,
      path,
      authenticated,
    }))
    return {
      type: json,
      ...(await this.#prepared(`shown ${name}`, { what: 'shown', file: api.file, operations })),
    }
  }

  #prepared(name: string, preparation: Preparation): Promise<Prepared> {
    return this.#things.get(name, preparation)
  }

  #find(name: string): Api | undefined {
    return this.#apis.find((api) => api.name === name)
  }

  #unknown(name: string): RequestError {
    const names = this.#apis.map((api) => api.name)
    return new RequestError(
      'NOT_FOUND',
      `There are no docs of "${name.slice(0, 200)}" here; /doc lists what there is.${didYouMean(name, names)}`,
      { status: 404 },
    )
  }
}

export interface DocsOptions {
  /** The service's name. */
  readonly name: string
  readonly apis: readonly Api[]
  /** The exit of requests for what there isn't. */
  readonly refuse: Refuse
}

/** Methods of every path of the docs. */
export const docsMethods = ['GET', 'HEAD']

interface Ends {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

type DocsAnswer = { readonly type: string; readonly location?: string; readonly policy?: string } & (
  | { readonly text: string | Uint8Array }
  | Prepared
)

const html = 'text/html; charset=utf-8'
const json = 'application/json; charset=utf-8'
const javascript = 'text/javascript; charset=utf-8'

/** Scalar makes its styles while it runs. Pictures that a spec's texts show from elsewhere are not loaded. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function page(text: string): DocsAnswer {
  return { type: html, text, policy }
}

async function send(answer: DocsAnswer, { request, reply }: Ends): Promise<void> {
  reply
    .header('content-type', answer.type)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
  if (answer.policy !== undefined) reply.header('content-security-policy', answer.policy)
  if (answer.location !== undefined) return void reply.code(308).header('location', answer.location).send()
  if ('text' in answer) return void reply.send(answer.text)
  reply.header('etag', answer.etag).header('vary', 'accept-encoding')
  if (request.headers['if-none-match'] === answer.etag) return void reply.code(304).send()
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'])))
    return void reply.send(await promisify(gunzip)(answer.gzipped))
  reply.header('content-encoding', 'gzip').send(answer.gzipped)
}

/** Templates that differ in the names of their parameters only are the same path. */
function withoutNames(path: string): string {
  return path.replace(/\{[^{}]*\}/g, '{}')
}
