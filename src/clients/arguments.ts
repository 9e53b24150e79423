import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Operation, Parameter, ValueFault } from '../spec/api.ts'
import type { ApiModels } from '../spec/api-models.ts'
import type { ValueCheck } from '../spec/checker.ts'
import { type EncodedParameters, encodeParameters } from '../spec/encode.ts'
import { places, schemaOfAll } from '../spec/parameter-checks.ts'
import { setOwn } from '../spec/plain.ts'
import type { CallOptions } from './client.ts'
import type { CallNames } from './errors.ts'

/** The arguments of a call: told apart, checked, and written as a request has them. */
export class Arguments {
  readonly #operation: Operation
  readonly #parameters: ValueCheck
  readonly #body: ValueCheck | undefined
  readonly #byName: ReadonlyMap<string, readonly Parameter[]>

  constructor({ checker }: ApiModels, operation: Operation) {
    this.#operation = operation
    this.#parameters = checker.check(schemaOfAll(operation.parameters))
    // Forms, texts and files are not sent by clients.
    const takesJson = operation.body?.content[0]?.kind === 'json'
    this.#body = takesJson ? checker.check(operation.body.schema) : undefined
    const inOrder = operation.parameters.toSorted((a, b) => places.indexOf(a.in) - places.indexOf(b.in))
    this.#byName = Map.groupBy(inOrder, ({ name }) => name)
  }

  /** The body, where the operation has one, then the named parameters, where it has any, then options. */
  split(args: readonly unknown[]): Given {
    const rest = [...args]
    const body = this.#body === undefined ? undefined : rest.shift()
    const named = this.#operation.parameters.length === 0 ? undefined : rest.shift()
    // Typed by the generated file; whoever calls from JavaScript gets the faults of what he gave.
    return {
      body,
      named: (named ?? {}) as Given['named'],
      options: (rest.shift() ?? {}) as CallOptions,
      surplus: rest.length,
    }
  }

  /** The parameters as they are sent. @throws MacaronError `CLIENT_INVALID_CALL` with every fault of parameters and body. */
  encode({ body, named, surplus }: Given, names: CallNames): EncodedParameters {
    const faults: ValueFault[] = []
    if (surplus > 0)
      faults.push({ path: 'arguments', message: `are ${surplus} more than the operation takes` })
    const values = this.#placed(named, faults)
    if (!this.#parameters.fits(values, 'request'))
      faults.push(...this.#parameters.faults(values, 'request', ''))
    faults.push(...this.#bodyFaults(body))
    const encoded = encodeParameters(this.#operation, values, faults)
    if (faults.length === 0) return encoded
    throw invalidCall(names, faults)
  }

  /** A name that stands in several places is given to the first of them, and to those that require it. */
  #placed(named: Given['named'], faults: ValueFault[]): Record<Parameter['in'], Record<string, unknown>> {
    const values = { path: {}, query: {}, header: {}, cookie: {} }
    for (const [name, value] of Object.entries(named)) {
      if (value === undefined) continue
      const parameters = this.#byName.get(name)
      if (parameters === undefined) {
        const hint = didYouMean(name, this.#byName.keys())
        faults.push({ path: name, message: `is no parameter of the operation.${hint}` })
        continue
      }
      for (const [index, parameter] of parameters.entries()) {
        if (index === 0 || parameter.required) setOwn(values[parameter.in], name, value)
      }
    }
    return values
  }

  #bodyFaults(body: unknown): readonly ValueFault[] {
    if (this.#body === undefined) return []
    if (body === undefined)
      return this.#operation.body?.required ? [{ path: 'body', message: 'is required' }] : []
    if (this.#body.fits(body, 'request')) return []
    return this.#body.faults(body, 'request', 'body')
  }
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
