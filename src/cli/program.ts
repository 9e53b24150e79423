import { Command } from 'commander'
import { writeError } from '../core/standard-output.ts'
import { checkCommand } from './commands/check.ts'
import { devCommand } from './commands/dev.ts'
import { generateCommand } from './commands/generate.ts'
import { healthCommand } from './commands/health.ts'
import { initCommand } from './commands/init.ts'
import { serveCommand, startCommand, workCommand } from './commands/start.ts'
import { tasksCommand } from './commands/tasks.ts'
import { tokenCommand } from './commands/token.ts'
import { print } from './output.ts'
import { ownVersion } from './own-version.ts'

/** All commands; mistyped ones and mistyped options get the nearest name. */
export function program(): Command {
  const macaron = new Command('macaron')
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
  speakSafely(macaron)
  return macaron
}

/** Help and complaints, those of subcommands too, may go to a reader that has seen enough. */
function speakSafely(command: Command): void {
  command.configureOutput({ writeOut: print, writeErr: writeError })
  for (const one of command.commands) speakSafely(one)
}
