import { RequestError } from '../core/errors.ts'
import type { ValueFault } from '../spec/api.ts'

/** Refusals that say more than a code and a sentence. */

/** A request that doesn't fit its operation: all its faults at once. */
export class InvalidRequest extends RequestError {
  readonly faults: readonly ValueFault[]

  constructor(faults: readonly ValueFault[]) {
    super('INVALID_PARAMETER', describe(faults), { status: 400 })
    this.faults = faults.slice(0, mostFaults)
  }
}

/** More than these help nobody, and a hostile body can have a million. */
const mostFaults = 100

function describe(faults: readonly ValueFault[]): string {
  const listed = faults.slice(0, mostFaults).map((fault) => `${fault.path}: ${fault.message}`)
  const more = faults.length - listed.length
  return `${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/** A refusal that comes with headers, such as 405 with Allow. */
export class RefusedRequest extends RequestError {
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, refusal: Refusal) {
    super(code, refusal.message, { status })
    this.headers = refusal.headers
  }
}

export interface Refusal {
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}
