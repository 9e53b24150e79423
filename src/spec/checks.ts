import type {
  Api,
  Body,
  DecodedRequest,
  JsonSchema,
  Operation,
  OperationChecks,
  RawRequest,
  ValueFault,
} from './api.ts'
import type { ApiModels } from './api-models.ts'
import type { ValueCheck } from './checker.ts'
import type { ModelRegistry } from './model-registry.ts'
import { ParameterChecks } from './parameter-checks.ts'
import type { Reviver } from './reviver.ts'

/**
 * The checks of an operation. Each part is compiled when it is first needed. Bodies are taken as they are: nothing is coerced, and nothing
 * dropped; parameters are read by their styles. A request's faults, of parameters and body, come all at once.
 */
export function checksOf(api: Api, operation: Operation, models: ModelRegistry): OperationChecks {
  return new CompiledChecks(models.of(api), operation)
}

class CompiledChecks implements OperationChecks {
  readonly #models: ApiModels
  readonly #operation: Operation
  readonly #parameters: ParameterChecks | undefined
  readonly #body: BodyCheck | undefined
  readonly #replies = new Map<string, ValueCheck>()

  constructor(models: ApiModels, operation: Operation) {
    this.#models = models
    this.#operation = operation
    this.#parameters = operation.parameters.length > 0 ? new ParameterChecks(models, operation) : undefined
    this.#body = operation.body && new BodyCheck(models, operation.body)
  }

  request(
    raw: RawRequest,
  ): { readonly faults: readonly ValueFault[] } | { readonly decoded: DecodedRequest } {
    const parameters = this.#parameters?.read(raw) ?? noParameters
    const bodyFaults = this.#body?.faults(raw.body) ?? none
    if (parameters.faults.length > 0 || bodyFaults.length > 0) {
      return { faults: [...parameters.faults, ...bodyFaults] }
    }
    const { params, query, named } = parameters
    return { decoded: { params, query, named, body: this.#body?.revived(raw.body) } }
  }

  reply(status: number, body: unknown): readonly ValueFault[] | 'undeclared' {
    const declared = declaredStatus(this.#operation.replies, status)
    if (declared === undefined) return 'undeclared'
    const schema = this.#operation.replies[declared]
    if (schema === undefined) return none
    const check = this.#replyCheck(declared, schema)
    if (check.fits(body, 'reply')) return none
    // Values that say themselves how JSON has them (toJSON) fit as what will be sent.
    const sent = asSent(body)
    return check.fits(sent, 'reply') ? none : check.faults(sent, 'reply', 'body')
  }

  #replyCheck(status: string, schema: JsonSchema): ValueCheck {
    const known = this.#replies.get(status)
    if (known !== undefined) return known
    const check = this.#models.checker.check(schema)
    this.#replies.set(status, check)
    return check
  }
}

const none: readonly ValueFault[] = []

const nothing = Object.freeze({})

/** What an operation without parameters reads. */
const noParameters = { faults: none, params: nothing, query: nothing, named: nothing }

/** The key under which a status is declared: itself, its class (`4XX`), or `default`. */
export function declaredStatus(replies: Operation['replies'], status: number): string | undefined {
  const exact = String(status)
  if (exact in replies) return exact
  return [`${exact[0]}XX`, 'default'].find((key) => key in replies)
}

/** What is left of a value when it is sent as JSON; the value itself where it can't be. */
function asSent(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    return value
  }
}

class BodyCheck {
  readonly #models: ApiModels
  readonly #body: Body
  readonly #check: ValueCheck
  #reviver: Reviver | undefined | 'unknown' = 'unknown'

  constructor(models: ApiModels, body: Body) {
    this.#models = models
    this.#body = body
    this.#check = models.checker.check(body.schema)
  }

  faults(body: unknown): readonly ValueFault[] {
    if (body === undefined) return this.#body.required ? missingBody : none
    return this.#check.fits(body, 'request') ? none : this.#check.faults(body, 'request', 'body')
  }

  /** The body as the handler gets it: models, Dates, defaults. */
  revived(body: unknown): unknown {
    if (body === undefined) return undefined
    if (this.#reviver === 'unknown') this.#reviver = this.#models.revivers.of(this.#body.schema)
    return this.#reviver === undefined ? body : this.#reviver(body)
  }
}

const missingBody: readonly ValueFault[] = [{ path: 'body', message: 'is required' }]
