import { codeOf, SetupError } from '../core/errors.ts'

/** Why a port could not be opened, as `PORT_IN_USE`, `PORT_FORBIDDEN` or `LISTEN_FAILED`. */
export function listenError(cause: Error, host: string, port: number): SetupError {
  const code = codeOf(cause)
  if (code === 'EADDRINUSE') {
    return setupError('PORT_IN_USE', `Port ${port} is in use: stop the other process, or choose another port`)
  }
  if (code === 'EACCES') {
    return setupError('PORT_FORBIDDEN', `Port ${port} may not be opened by this user: choose one above 1023`)
  }
  return setupError('LISTEN_FAILED', `Can't listen on ${host}, port ${port}: ${cause.message}`)
}

function setupError(code: string, message: string): SetupError {
  return new SetupError(code, [{ message }])
}
