import { join, relative } from 'node:path'
import type { Config } from '../config.ts'
import type { Trial } from '../trials.ts'
import { shellQuoted } from './shell-quoted.ts'

/** What `start` prints when the service is up: its address, and a few lines to try. */
export function tryLines(config: Config, server: object | undefined): readonly string[] {
  const port = server !== undefined && 'port' in server ? Number(server.port) : config.port
  const trials =
    server !== undefined && 'trials' in server && Array.isArray(server.trials) ? server.trials : []
  const address = `http://localhost:${port}`
  return [
    '',
    `${config.name} is up: ${address}`,
    ...(trials.length === 0 ? [] : ['', 'Try:']),
    // The server's announcement is made of Trials by roles.ts.
    ...trials.map((trial: Trial) => `  ${curl(trial, address, config.folder)}`),
    ...(config.docs ? ['', `To read and try them all: ${address}/doc`] : []),
    '',
  ]
}

function curl({ method, path, authenticated, body }: Trial, address: string, folder: string): string {
  return [
    'curl',
    method === 'get' ? '' : `-X ${method.toUpperCase()}`,
    shellQuoted(address + path),
    authenticated ? `-H "Authorization: Bearer $(${tokenCommand(folder)})"` : '',
    body === undefined ? '' : `-H 'Content-Type: application/json' -d ${shellQuoted(body)}`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

/** From a clone the package's own script runs the pinned Node; elsewhere npx finds the installed command. */
function tokenCommand(folder: string): string {
  const macaron = import.meta.filename.endsWith('.ts') ? 'npm run -s macaron --' : 'npx macaron'
  const place = relative(process.cwd(), folder)
  return `${macaron} token ada${place === '' ? '' : ` --service ${shellQuoted(join(place))}`}`
}
