import { join, relative } from 'node:path'
import { Command } from 'commander'
import { generateIfStale } from '../../spec/generate.ts'
import { specFiles } from '../../spec/load.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

/** `macaron generate`: models and types of every spec; a start does the same. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('write apis/*.gen.ts, the models and types of the specs, where they are out of date')
    .option('--json', 'one document a line: { file, written }')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(generate)
}

async function generate(options: ServiceOptions & { readonly json?: boolean }): Promise<void> {
  const config = configOf(options)
  for (const spec of await specFiles(join(config.folder, 'apis'))) {
    const { file, written } = await generateIfStale(spec)
    if (options.json) sayJson({ file, written })
    else say(`${relative(config.folder, file)}: ${written ? 'written' : 'up to date'}`)
  }
}
