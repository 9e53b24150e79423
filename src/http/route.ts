import type { Api, Operation, OperationChecks } from '../spec/api.ts'
import type { Binding, Handler } from '../spec/bindings.ts'
import { pathTeller, sensitiveNames } from '../spec/sensitive.ts'
import { BodyMedia } from './body-media.ts'
import type { HttpOptions } from './options.ts'
import { RepliesMedia } from './reply-media.ts'
import type { Template } from './template.ts'

/** One operation, ready to be served: whatever doesn't depend on the request is worked out here, at start. */
export class Route {
  readonly api: Api
  readonly operation: Operation
  readonly template: Template
  /** The bound function inside its decorators. */
  readonly handler: Handler
  /** What bodies it takes; undefined: none. */
  readonly media: BodyMedia | undefined
  /** The handler's first argument is the body. */
  readonly takesBody: boolean
  /** Status of a reply that names none. */
  readonly okStatus: number
  readonly declaresNoContent: boolean
  /** The operation says anything at all about its replies. */
  readonly declaresReplies: boolean
  /** Its spec has a model `Error`, which handlers may return. */
  readonly knowsErrorModel: boolean
  /** The media types of its replies. */
  readonly repliesMedia: RepliesMedia
  /** The path of a request, as it may be logged. */
  readonly shownPath: (path: string) => string
  readonly #checksOf: HttpOptions['checksOf']
  #checks: OperationChecks | undefined
  #sensitive: readonly string[] | undefined

  constructor(parts: RouteParts) {
    this.api = parts.api
    this.operation = parts.operation
    this.template = parts.template
    this.handler = parts.binding.handler
    const { body } = parts.operation
    this.media = body === undefined ? undefined : new BodyMedia(body.content)
    this.takesBody = body !== undefined && !body.asParameters
    this.okStatus = okStatusOf(parts.operation)
    this.declaresNoContent = '204' in parts.operation.replies
    this.declaresReplies = Object.keys(parts.operation.replies).length > 0
    this.knowsErrorModel = Object.hasOwn(parts.api.schemas, 'Error')
    this.repliesMedia = new RepliesMedia(parts.operation)
    this.shownPath = pathTeller(parts.api, parts.operation)
    this.#checksOf = parts.checksOf
  }

  /** Compiled at the first request, which pays for it. */
  get checks(): OperationChecks {
    this.#checks ??= this.#checksOf(this.api, this.operation)
    return this.#checks
  }

  /** Names in its requests whose values are hidden in reports, by its spec; looked for when first asked. */
  get sensitive(): readonly string[] {
    this.#sensitive ??= sensitiveNames(this.api, this.operation)
    return this.#sensitive
  }

  /** `POST /signup`, for messages. */
  get label(): string {
    return `${this.operation.method.toUpperCase()} ${this.operation.path}`
  }
}

export interface RouteParts {
  readonly api: Api
  readonly operation: Operation
  readonly template: Template
  readonly binding: Binding
  readonly checksOf: HttpOptions['checksOf']
}

/** 200, unless a single other 2xx is what the operation declares. */
function okStatusOf(operation: Operation): number {
  const declared = Object.keys(operation.replies).filter((status) => /^2\d\d$/.test(status))
  const bodied = declared.filter((status) => status !== '204')
  return bodied.length === 1 ? Number(bodied[0]) : 200
}
