import type {
  Api,
  BodyContent,
  DecodedRequest,
  FileField,
  JsonSchema,
  Operation,
  OperationChecks,
  RawRequest,
  ValueFault,
} from './api.ts'
import type { ApiModels } from './api-models.ts'
import { BodyChecks, type ReadBody } from './body-checks.ts'
import type { ValueCheck } from './checker.ts'
import type { ModelRegistry } from './model-registry.ts'
import { ParameterChecks } from './parameter-checks.ts'
import { declaredStatus } from './statuses.ts'

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
  readonly #body: BodyChecks | undefined
  readonly #replies = new Map<string, ValueCheck>()

  constructor(models: ApiModels, operation: Operation) {
    this.#models = models
    this.#operation = operation
    this.#parameters = operation.parameters.length > 0 ? new ParameterChecks(models, operation) : undefined
    this.#body = operation.body && new BodyChecks(models, operation.body)
  }

  fileFields(content: BodyContent): ReadonlyMap<string, FileField> {
    return this.#body?.fileFields(content) ?? noFiles
  }

  request(
    raw: RawRequest,
  ): { readonly faults: readonly ValueFault[] } | { readonly decoded: DecodedRequest } {
    const parameters = this.#parameters?.read(raw) ?? noParameters
    const body = this.#body?.read(raw) ?? noBody
    if (parameters.faults.length > 0 || body.faults.length > 0) {
      return { faults: [...parameters.faults, ...body.faults] }
    }
    const { params, query, named } = parameters
    if (this.#operation.body?.asParameters !== true)
      return { decoded: { params, query, named, body: body.value } }
    return { decoded: { params, query, named: { ...Object(body.value), ...named }, body: undefined } }
  }

  reply(
    status: number,
    body: unknown,
    mode: 'reply' | 'received' = 'reply',
  ): readonly ValueFault[] | 'undeclared' {
    const declared = declaredStatus(this.#operation.replies, status)
    if (declared === undefined) return 'undeclared'
    const schema = this.#operation.replies[declared]
    if (schema === undefined) return none
    const check = this.#replyCheck(declared, schema)
    if (check.fits(body, mode)) return none
    // Values that say themselves how JSON has them (toJSON) fit as what will be sent.
    const sent = asSent(body)
    return check.fits(sent, mode) ? none : check.faults(sent, mode, 'body')
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

const noBody: ReadBody = { faults: none, value: undefined }
const noFiles: ReadonlyMap<string, FileField> = new Map()

/** What is left of a value when it is sent as JSON; the value itself where it can't be. */
function asSent(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    return value
  }
}
