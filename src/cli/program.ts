import { Command } from 'commander'
import { checkCommand } from './commands/check.ts'
import { devCommand } from './commands/dev.ts'
import { generateCommand } from './commands/generate.ts'
import { healthCommand } from './commands/health.ts'
import { initCommand } from './commands/init.ts'
import { serveCommand, startCommand, workCommand } from './commands/start.ts'
import { tasksCommand } from './commands/tasks.ts'
import { tokenCommand } from './commands/token.ts'
import { ownVersion } from './own-version.ts'

/** All commands; mistyped ones and mistyped options get the nearest name. */
export function program(): Command {
  return new Command('macaron')
    .description('REST services from OpenAPI files, whose functions can run after the endpoint has returned')
    .version(ownVersion(), '-v, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(macaron --help lists the commands, macaron COMMAND --help its options)')
    .addCommand(initCommand())
    .addCommand(devCommand())
    .addCommand(startCommand())
    .addCommand(serveCommand())
    .addCommand(workCommand())
    .addCommand(checkCommand())
    .addCommand(generateCommand())
    .addCommand(tokenCommand())
    .addCommand(tasksCommand())
    .addCommand(healthCommand())
}
