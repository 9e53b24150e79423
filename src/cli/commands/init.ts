import { join, relative } from 'node:path'
import { Command } from 'commander'
import { generateIfStale } from '../../spec/generate.ts'
import { specFiles } from '../../spec/load.ts'
import { say, sayJson } from '../output.ts'
import { ownVersion } from '../own-version.ts'
import { type Scaffold, scaffold } from '../scaffold.ts'
import { shellQuoted } from '../shell-quoted.ts'

interface Options {
  readonly name?: string
  readonly force?: boolean
  readonly json?: boolean
}

/** `macaron init FOLDER`: a new service. */
export function initCommand(): Command {
  return new Command('init')
    .description('make a new service: a spec, a handler, a task, a test, and what runs them')
    .argument('<folder>', 'where to; "." for the current folder')
    .option('--name <name>', "the service's name", "the folder's")
    .option('--force', 'write into a folder that has files; those that are there stay as they are')
    .option('--json', 'print { folder, name, written, kept }')
    .action(init)
}

async function init(folder: string, { name, force = false, json = false }: Options): Promise<void> {
  const given = name === "the folder's" ? undefined : name
  const made = scaffold({ folder, name: given, force, version: ownVersion() })
  for (const spec of await specFiles(join(made.folder, 'apis'))) await generateIfStale(spec)
  if (json) sayJson(made)
  else for (const line of nextSteps(made)) say(line)
}

function nextSteps({ folder, name, kept }: Scaffold): readonly string[] {
  const place = relative(process.cwd(), folder)
  return [
    `${name} is made${place === '' ? '' : ` in ${place}`}.`,
    ...(kept.length === 0 ? [] : [`Kept as they were: ${kept.join(', ')}`]),
    '',
    'Next:',
    ...(place === '' ? [] : [`  cd ${shellQuoted(place)}`]),
    '  npm install',
    '  npm run dev      # serves, and reloads when you save; prints lines to try',
    '  npm test',
  ]
}
