import { Command, Option } from 'commander'
import { openStore } from '../../store.ts'
import { isSettled, type TaskState, taskStates } from '../../tasks/states.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

interface PurgeOptions extends ServiceOptions {
  readonly state: readonly TaskState[]
  readonly json?: boolean
}

/** `macaron tasks purge`: deletes tasks that are over before their `keep` has passed, for a store that needs room. */
export function purgeCommand(): Command {
  return new Command('purge')
    .description('delete tasks that are over, sooner than their keep says')
    .addOption(
      new Option('--state <state...>', 'all in these states')
        .choices(taskStates.filter(isSettled))
        .makeOptionMandatory(),
    )
    .option('--json', 'as one JSON document')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(purge)
}

async function purge({ state: states, json, ...options }: PurgeOptions): Promise<void> {
  const engine = await openStore(configOf(options), 'worker')
  try {
    const deleted = await engine.purge({ states })
    if (json) sayJson({ deleted })
    else say(`${deleted} deleted`)
  } finally {
    await engine.close()
  }
}
