import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Operation, Parameter, ValueFault } from '../spec/api.ts'
import type { ApiModels } from '../spec/api-models.ts'
import type { ValueCheck } from '../spec/checker.ts'
import { type EncodedParameters, encodeParameters } from '../spec/encode.ts'
import { FormFields } from '../spec/form-fields.ts'
import { places, schemaOfAll } from '../spec/parameter-checks.ts'
import { setOwn } from '../spec/plain.ts'
import { shapeOf } from '../spec/shape.ts'
import { type BodyRules, bodyFaults, encodeBody, type SentBody } from './body.ts'
import type { CallOptions } from './client.ts'
import type { CallNames } from './errors.ts'

/** The arguments of a call: told apart, checked, and written as a request has them. */
export class Arguments {
  readonly #operation: Operation
  readonly #parameters: ValueCheck
  readonly #body: BodyRules | undefined
  /** The fields of Swagger 2.0's `formData`, which stand beside the parameters. */
  readonly #fields: ReadonlySet<string>
  readonly #byName: ReadonlyMap<string, readonly Parameter[]>

  constructor(models: ApiModels, operation: Operation) {
    const { checker } = models
    this.#operation = operation
    this.#parameters = checker.check(schemaOfAll(operation.parameters))
    this.#body = rulesOf(models, operation)
    const { body } = operation
    this.#fields = new Set(body?.asParameters ? shapeOf(checker.api, body.schema).properties.keys() : [])
    const inOrder = operation.parameters.toSorted((a, b) => places.indexOf(a.in) - places.indexOf(b.in))
    this.#byName = Map.groupBy(inOrder, ({ name }) => name)
  }

  /** The body, where the operation has one, then the named parameters, where it has any, then options. */
  split(args: readonly unknown[]): Given {
    const rest = [...args]
    const body = this.#takesBody ? rest.shift() : undefined
    const named = this.#byName.size + this.#fields.size === 0 ? undefined : rest.shift()
    // Typed by the generated file; whoever calls from JavaScript gets the faults of what he gave.
    return {
      body,
      named: (named ?? {}) as Given['named'],
      options: (rest.shift() ?? {}) as CallOptions,
      surplus: rest.length,
    }
  }

  /** What is sent, once it is checked. @throws MacaronError `CLIENT_INVALID_CALL` with every fault of parameters and body. */
  async encode({ body, named, surplus }: Given, names: CallNames): Promise<Encoded> {
    const faults: ValueFault[] = []
    if (surplus > 0)
      faults.push({ path: 'arguments', message: `are ${surplus} more than the operation takes` })
    const { values, form } = this.#placed(named, faults)
    if (!this.#parameters.fits(values, 'request'))
      faults.push(...this.#parameters.faults(values, 'request', ''))
    const given = this.#fields.size === 0 ? body : form
    faults.push(...this.#bodyFaults(given))
    const parameters = encodeParameters(this.#operation, values, faults)
    if (faults.length > 0) throw invalidCall(names, faults)
    return { parameters, body: this.#body && (await encodeBody(given, this.#body)) }
  }

  get #takesBody(): boolean {
    return this.#body !== undefined && this.#fields.size === 0
  }

  /** A name that stands in several places is given to the first of them, and to those that require it. */
  #placed(named: Given['named'], faults: ValueFault[]): Placed {
    const placed: Placed = { values: { path: {}, query: {}, header: {}, cookie: {} }, form: {} }
    for (const [name, value] of Object.entries(named)) {
      if (value === undefined) continue
      const parameters = this.#byName.get(name) ?? []
      if (this.#fields.has(name)) setOwn(placed.form, name, value)
      else if (parameters.length === 0) {
        const hint = didYouMean(name, [...this.#byName.keys(), ...this.#fields])
        faults.push({ path: name, message: `is no parameter of the operation.${hint}` })
      }
      for (const [index, parameter] of parameters.entries()) {
        if (index === 0 || parameter.required) setOwn(placed.values[parameter.in], name, value)
      }
    }
    return placed
  }

  #bodyFaults(body: unknown): readonly ValueFault[] {
    if (this.#body === undefined) return []
    if (body === undefined)
      return this.#operation.body?.required ? [{ path: 'body', message: 'is required' }] : []
    return bodyFaults(body, this.#body, this.#takesBody ? 'body' : 'formData')
  }
}

/** The rules of the first media type that an operation takes: JSON where it takes that. */
function rulesOf({ checker }: ApiModels, { body }: Operation): BodyRules | undefined {
  const content = body?.content[0]
  if (body === undefined || content === undefined) return undefined
  const isForm = content.kind === 'form' || content.kind === 'multipart'
  const files = isForm ? new FormFields(checker.api, content, body.asParameters).files : noFiles
  return { content, files, check: checker.check(content.schema) }
}

const noFiles: BodyRules['files'] = new Map()

interface Placed {
  readonly values: Record<Parameter['in'], Record<string, unknown>>
  readonly form: Record<string, unknown>
}

/** The parts of a request that come from arguments. */
export interface Encoded {
  readonly parameters: EncodedParameters
  readonly body: SentBody | undefined
}

/** The arguments of one call. */
export interface Given {
  readonly body: unknown
  readonly named: Readonly<Record<string, unknown>>
  readonly options: CallOptions
  /** How many more arguments there were than can mean anything. */
  readonly surplus: number
}

/** What a call was given can't be sent. */
export function invalidCall({ client, operation }: CallNames, faults: readonly ValueFault[]): MacaronError {
  const list = faults.map(({ path, message }) => `${path} ${message}`)
  return new MacaronError(
    'CLIENT_INVALID_CALL',
    `${client}: ${operation} can't be called like this: ${list.join('; ')}`,
  )
}
