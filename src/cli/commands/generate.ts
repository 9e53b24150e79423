import { join, relative } from 'node:path'
import { Command } from 'commander'
import type { Config } from '../../config.ts'
import type { Generated } from '../../spec/generate.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

/** `macaron generate`: models and types of every spec; a start does the same. */
export function generateCommand(): Command {
  return new Command('generate')
    .description(
      'write apis/*.gen.ts and clients/*.gen.ts, the models and types of the specs, where they are out of date',
    )
    .option('--json', 'one document a line: { file, written }')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(generate)
}

async function generate(options: ServiceOptions & { readonly json?: boolean }): Promise<void> {
  const config = configOf(options, {}, { needsSecrets: false })
  // Loaded here and not above: no other command should wait for it.
  const { generateClients } = await import('../../service-clients.ts')
  const generated = [...(await generateApis(config)), ...(await generateClients(config))]
  for (const { file, written } of generated) {
    if (options.json) sayJson({ file, written })
    else say(`${relative(config.folder, file)}: ${written ? 'written' : 'up to date'}`)
  }
}

async function generateApis(config: Config): Promise<readonly Generated[]> {
  const { specFiles } = await import('../../spec/load.ts')
  const { generateIfStale } = await import('../../spec/generate.ts')
  const specs = await specFiles(join(config.folder, 'apis'))
  return await Promise.all(specs.map((spec) => generateIfStale(spec)))
}
