import { currentCallId } from '../core/context.ts'
import { asError, codeOf } from '../core/errors.ts'
import { emit } from '../core/events.ts'

/**
 * A promise that a handler has left behind and that rejects later (a fire after its request was answered with an error, say) is a mistake of that
 * handler: it is told, and must not end the other requests of this process.
 */
export function surviveStrayErrors(): void {
  process.on('unhandledRejection', (thrown) => {
    const error = asError(thrown)
    const callId = currentCallId()
    const code = codeOf(error)
    emit('notice', {
      message: `A promise nobody waited for has failed${callId === undefined ? '' : ` (call ${callId})`}: ${code === undefined ? '' : `${code}: `}${error.message}`,
    })
  })
}
