import { randomUUID } from 'node:crypto'
import { ClientError } from '../clients/errors.ts'
import { asError, MacaronError, MessageError, SetupError, StoreError, TaskError } from '../core/errors.ts'
import type { ValueFault } from '../spec/api.ts'
import { ModelError } from '../spec/models.ts'
import type { Answer } from './answer.ts'
import { InvalidRequest, RefusedRequest } from './refusals.ts'

/**
 * The one error exit: whatever was thrown becomes PyMacaron's error JSON. What nobody meant for the caller is never shown to him; he gets
 * `SERVER_ERROR` and an id under which the real error is logged and reported.
 */
export interface ErrorFacts {
  readonly status: number
  readonly code: string
  readonly description: string
  readonly userMessage: string | undefined
  readonly errorId: string
  readonly headers: Readonly<Record<string, string>>
  readonly faults: readonly ValueFault[] | undefined
  /** What was really thrown. */
  readonly error: Error
}

/** What a thrown value says to the caller. */
export function errorFacts(thrown: unknown): ErrorFacts {
  const error = asError(thrown)
  return { ...wordsOf(error), errorId: randomUUID(), faults: faultsOf(error), error }
}

/** The body of an error reply, unless the service has a format of its own: PyMacaron's error JSON. */
export interface ErrorBody {
  readonly status: number
  readonly error: string
  readonly error_description: string
  readonly user_message: string | undefined
  readonly error_id: string
  readonly faults: readonly ValueFault[] | undefined
}

/** Error facts as a body. */
export function errorBody(facts: ErrorFacts): ErrorBody {
  return {
    status: facts.status,
    error: facts.code,
    error_description: facts.description,
    user_message: facts.userMessage,
    error_id: facts.errorId,
    faults: facts.faults,
  }
}

/** Error facts as a reply. */
export function errorAnswer(facts: ErrorFacts): Answer {
  const body = errorBody(facts)
  const { status, headers, code } = facts
  return { status, headers, body, json: true, payload: JSON.stringify(body), error: code }
}

type Words = Pick<ErrorFacts, 'status' | 'code' | 'description' | 'userMessage' | 'headers'>

function wordsOf(error: Error): Words {
  if (error instanceof StoreError) return unavailable(error)
  if (error instanceof ClientError) return failedUpstream(error)
  if (!(error instanceof MacaronError)) return unhandled('SERVER_ERROR')
  if (isInternal(error)) return unhandled(error.code)
  const { code, message, userMessage } = error
  const status = error.status >= 400 && error.status <= 599 ? error.status : 500
  return { status, code, description: message, userMessage, headers: headersOf(error) }
}

/** Says nothing of the store but its code: messages of the store name files of the server. */
function unavailable(error: StoreError): Words {
  return {
    status: 503,
    code: 'TASKS_UNAVAILABLE',
    description: `The task store can't do what this request needs (${error.code}). Try again in a moment.`,
    userMessage: error.userMessage,
    headers: { 'retry-after': '1' },
  }
}

/** What another service said is for the handler; the caller learns that it was another one, and what that one meant for end users. */
function failedUpstream({ code, userMessage }: ClientError): Words {
  const timedOut = code === 'CLIENT_TIMEOUT'
  return {
    status: timedOut ? 504 : 502,
    code: timedOut ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_FAILED',
    description: 'Another service that this one needs has failed; the error is logged under error_id',
    userMessage,
    headers: {},
  }
}

function unhandled(code: string): Words {
  return {
    status: 500,
    code,
    description: 'The server failed to handle this request; the error is logged under error_id',
    userMessage: undefined,
    headers: {},
  }
}

/** Macaron's own errors without a status were thrown at the service's author, not at the caller; a subclass by the author is meant as it is. */
function isInternal(error: MacaronError): boolean {
  return error.status === 500 && ownClasses.has(error.constructor)
}

const ownClasses = new Set<unknown>([MacaronError, SetupError, TaskError, MessageError, ModelError])

function headersOf(error: MacaronError): Readonly<Record<string, string>> {
  if (error instanceof RefusedRequest) return error.headers
  return error.status === 401 ? bearerChallenge : noHeaders
}

const bearerChallenge = { 'www-authenticate': 'Bearer' }
const noHeaders = {}

function faultsOf(error: Error): readonly ValueFault[] | undefined {
  return error instanceof InvalidRequest ? error.faults : undefined
}
