import type { Config } from './config.ts'
import { SetupError } from './core/errors.ts'

/** @throws SetupError `PORT_NOT_SHARED` where several server processes would each take a port of their own. */
export function requireSharedPort({ http_workers, port, file }: Config): void {
  if (http_workers === 1 || port !== 0) return
  throw new SetupError('PORT_NOT_SHARED', [
    { file, message: 'http_workers above 1 share one port, so the port must be given, not 0' },
  ])
}
