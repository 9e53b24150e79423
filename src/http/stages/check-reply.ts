import { MacaronError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { ValueFault } from '../../spec/api.ts'
import { essenceOf, isOfMedia } from '../../spec/media.ts'
import { declaredStatus } from '../../spec/statuses.ts'
import type { Answer } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import { known } from '../known.ts'
import type { Route } from '../route.ts'
import type { Stage } from './stage.ts'

export interface ReplyCheckOptions {
  readonly mode: 'fail' | 'log' | 'off'
  readonly production: boolean
}

/** Holds the reply against what the operation declares. In mode `fail` one that doesn't fit becomes 500 `BAD_RESPONSE`. */
export function checkReply({ mode, production }: ReplyCheckOptions): Stage {
  return function checkReplyOfExchange(exchange) {
    const answer = known(exchange.answer)
    if (mode === 'off') return undefined
    const faults = answer.json ? faultsOf(exchange, answer) : typeFaults(exchange, answer)
    if (faults.length === 0) return undefined
    report(exchange, answer.status, faults)
    if (mode === 'fail') throw new BadResponse(faults, production)
    return undefined
  }
}

/**
 * Tells where an error that left the handler is not what the operation declares for its status. It is sent all the same, whatever the mode: its
 * code is worth more to the caller than a 500.
 */
export function checkErrorReply(exchange: Exchange, { status, body }: Answer): void {
  // What never reached the handler is Macaron's to word, and anybody could fill the log with it.
  if (exchange.context === undefined || status >= 500) return
  const faults = exchange.route.checks.reply(status, body)
  if (faults !== 'undeclared' && faults.length > 0) report(exchange, status, faults.map(describe))
}

/** The handler's reply is not what its operation declares. */
export class BadResponse extends MacaronError {
  constructor(faults: readonly string[], production: boolean) {
    const details = production ? '' : `: ${faults.join('; ')}`
    super('BAD_RESPONSE', `The reply is not what the spec of this operation declares${details}`)
  }
}

function faultsOf({ route }: Exchange, { status, body }: Answer): readonly string[] {
  if (bodiless.has(status)) return body === undefined ? none : hasBody(status)
  const faults = route.checks.reply(status, body)
  if (faults !== 'undeclared') return faults.length === 0 ? none : faults.map(describe)
  return undeclared(route, status)
}

/** Text and bytes have no schema to fit, but a type. */
function typeFaults({ route }: Exchange, { status, body, headers }: Answer): readonly string[] {
  if (bodiless.has(status)) return body === undefined ? none : hasBody(status)
  if (declaredStatus(route.operation.replies, status) === undefined) return undeclared(route, status)
  const { all } = route.repliesMedia.of(status)
  const type = essenceOf(String(headers['content-type'] ?? ''))
  if (all.length === 0 || all.some((declared) => isOfMedia(type, declared))) return none
  const advice = 'give it with reply(status, body, { "content-type": … })'
  return [`the spec declares a body of type ${all.join(' or ')} for status ${status}, not ${type}: ${advice}`]
}

/** Errors and redirections needn't all be declared, but what a success looks like is the point of a spec. */
function undeclared({ declaresReplies }: Route, status: number): readonly string[] {
  return status < 300 && declaresReplies ? [`the spec declares no reply with status ${status}`] : none
}

/** Statuses whose replies have no body by HTTP. */
const bodiless = new Set([204, 205, 304])

function hasBody(status: number): readonly string[] {
  return [`body: ${status} is a reply without a body`]
}

const none: readonly string[] = []

function describe(fault: ValueFault): string {
  return `${fault.path}: ${fault.message}`
}

function report(exchange: Exchange, status: number, faults: readonly string[]): void {
  const { callId, userId, route } = exchange
  emit('reply.mismatch', { callId, userId, operation: route.label, status, faults })
}
