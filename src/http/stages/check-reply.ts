import { MacaronError } from '../../core/errors.ts'
import { emit } from '../../core/events.ts'
import type { ValueFault } from '../../spec/api.ts'
import type { Answer } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import { known } from '../known.ts'
import type { Stage } from './stage.ts'

export interface ReplyCheckOptions {
  readonly mode: 'fail' | 'log' | 'off'
  readonly production: boolean
}

/** Holds the reply against what the operation declares. In mode `fail` one that doesn't fit becomes 500 `BAD_RESPONSE`. */
export function checkReply({ mode, production }: ReplyCheckOptions): Stage {
  return function checkReplyOfExchange(exchange) {
    const answer = known(exchange.answer)
    if (mode === 'off' || !answer.json) return undefined
    const faults = faultsOf(exchange, answer)
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
  if (status === 204) return body === undefined ? [] : ['body: 204 is a reply without a body']
  const faults = route.checks.reply(status, body)
  if (faults !== 'undeclared') return faults.length === 0 ? none : faults.map(describe)
  // Errors and redirections needn't all be declared, but what a success looks like is the point of a spec.
  return status < 300 && route.declaresReplies ? [`the spec declares no reply with status ${status}`] : none
}

const none: readonly string[] = []

function describe(fault: ValueFault): string {
  return `${fault.path}: ${fault.message}`
}

function report(exchange: Exchange, status: number, faults: readonly string[]): void {
  const { callId, userId, route } = exchange
  emit('reply.mismatch', { callId, userId, operation: route.label, status, faults })
}
