import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { checkCommand } from './commands/check.ts'
import { generateCommand } from './commands/generate.ts'
import { healthCommand } from './commands/health.ts'
import { serveCommand, startCommand, workCommand } from './commands/start.ts'
import { tasksCommand } from './commands/tasks.ts'
import { tokenCommand } from './commands/token.ts'

/** All commands; mistyped ones and mistyped options get the nearest name. */
export function program(): Command {
  return new Command('macaron')
    .description('REST services from OpenAPI files, whose functions can run after the endpoint has returned')
    .version(ownVersion(), '-v, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(macaron --help lists the commands, macaron COMMAND --help its options)')
    .addCommand(startCommand())
    .addCommand(serveCommand())
    .addCommand(workCommand())
    .addCommand(checkCommand())
    .addCommand(generateCommand())
    .addCommand(tokenCommand())
    .addCommand(tasksCommand())
    .addCommand(healthCommand())
}

function ownVersion(): string {
  // package.json is two folders up, from src/cli as from dist/cli.
  const found: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'
}
