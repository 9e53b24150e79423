import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Api, Operation, OperationChecks } from '../spec/api.ts'
import type { ApiModels } from '../spec/api-models.ts'
import { checksOf } from '../spec/checks.ts'
import { operationName } from '../spec/operation-name.ts'
import type { Reviver } from '../spec/reviver.ts'
import { pathTeller } from '../spec/sensitive.ts'
import { declaredStatus } from '../spec/statuses.ts'
import { Arguments } from './arguments.ts'
import type { CallNames } from './errors.ts'
import type { ClientSettings } from './table.ts'

/** One operation of another service, with all that calls of it need worked out once. */
export class ClientOperation {
  readonly names: CallNames
  readonly operation: Operation
  readonly arguments: Arguments
  readonly checks: OperationChecks
  /** The path of a request, as it may be logged. */
  readonly shownPath: (path: string) => string
  readonly #models: ApiModels
  readonly #revivers = new Map<string, Reviver | undefined>()

  constructor(api: Api, operation: Operation, { name, models }: Pick<ClientSettings, 'name' | 'models'>) {
    this.names = { client: name, operation: operationName(operation) }
    this.operation = operation
    this.checks = checksOf(api, operation, models)
    this.shownPath = pathTeller(api, operation)
    this.#models = models.of(api)
    this.arguments = new Arguments(this.#models, operation)
  }

  /** `GET`. */
  get method(): string {
    return this.operation.method.toUpperCase()
  }

  /** Whether handlers get a body first. */
  get takesBody(): boolean {
    const { body } = this.operation
    return body !== undefined && !body.asParameters
  }

  /** Whether the spec declares a reply of this very status. */
  declares(status: number): boolean {
    return Object.hasOwn(this.operation.replies, String(status))
  }

  /** Whether a reply of this status has a JSON body by the spec. */
  hasJson(status: number): boolean {
    const declared = declaredStatus(this.operation.replies, status)
    return declared !== undefined && this.operation.replies[declared] !== undefined
  }

  /** A checked body as models and Dates. */
  revive(status: number, body: unknown): unknown {
    const declared = declaredStatus(this.operation.replies, status)
    const reviver = declared === undefined ? undefined : this.#reviverOf(declared)
    return reviver === undefined ? body : reviver(body)
  }

  #reviverOf(declared: string): Reviver | undefined {
    if (this.#revivers.has(declared)) return this.#revivers.get(declared)
    const schema = this.operation.replies[declared]
    const reviver = schema === undefined ? undefined : this.#models.revivers.of(schema)
    this.#revivers.set(declared, reviver)
    return reviver
  }
}

/** The operations of a client, read from its spec. */
class ClientApi {
  readonly #settings: ClientSettings
  readonly #api: Api
  readonly #byName: ReadonlyMap<string, Operation>
  readonly #known = new Map<string, ClientOperation>()

  constructor(settings: ClientSettings, api: Api) {
    this.#settings = settings
    this.#api = api
    this.#byName = new Map(api.operations.map((operation) => [operationName(operation), operation]))
  }

  find(name: string): ClientOperation {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const operation = this.#byName.get(name)
    if (operation === undefined) throw this.#unknown(name)
    const made = new ClientOperation(this.#api, operation, this.#settings)
    this.#known.set(name, made)
    return made
  }

  #unknown(name: string): MacaronError {
    const { file } = this.#api
    return new MacaronError(
      'CLIENT_OPERATION_UNKNOWN',
      `${this.#settings.name} has no operation "${name}": ${file} declares none of that name.${didYouMean(name, this.#byName.keys())}`,
    )
  }
}

const apis = new WeakMap<ClientSettings, Promise<ClientApi>>()

/**
 * An operation of a client by its name; the spec is read once, at the first call.
 * @throws MacaronError `CLIENT_OPERATION_UNKNOWN`; SetupError `SPEC_INVALID`, `SPEC_MISSING`.
 */
export async function operationOf(settings: ClientSettings, name: string): Promise<ClientOperation> {
  const known = apis.get(settings)
  if (known !== undefined) return (await known).find(name)
  const loading = settings.loadApi().then((api) => new ClientApi(settings, api))
  apis.set(settings, loading)
  // One that can't be read is read again at the next call.
  loading.catch(() => apis.delete(settings))
  return (await loading).find(name)
}
