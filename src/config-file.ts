import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml'
import { asError, codeOf, type Fault, SetupError } from './core/errors.ts'
import { expandsBeyond } from './spec/parse.ts'
import { positionOf } from './spec/position.ts'

/** The configuration file of a service, found, read and parsed; what its keys mean is not known here. */
export interface ConfigFile {
  readonly path: string
  readonly source: string
  /** PyMacaron's own, which must work unchanged. */
  readonly fromPyMacaron: boolean
  readonly values: Readonly<Record<string, unknown>>
}

/**
 * Reads `macaron.yaml`, else `macaron.yml`, else PyMacaron's `pym-config.<env>.yaml` or `pym-config.yaml`.
 * @throws SetupError `CONFIG_MISSING`, `CONFIG_UNREADABLE`, `CONFIG_INVALID` for what is no YAML.
 */
export function readConfigFile(folder: string, env: string): ConfigFile {
  const path = findFile(folder, env)
  const source = readText(path)
  return { path, source, fromPyMacaron: basename(path).startsWith('pym-config'), values: parse(source, path) }
}

function findFile(folder: string, env: string): string {
  const names = ['macaron.yaml', 'macaron.yml', `pym-config.${env}.yaml`, 'pym-config.yaml']
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  const message = existsSync(folder)
    ? `There is no macaron.yaml in ${folder}. Start in the service's folder, name it with --service DIR, or make the file; "name: my-service" is enough.`
    : `There is no folder ${folder}. Name the service's folder with --service DIR.`
  throw new SetupError('CONFIG_MISSING', [{ message }])
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = codeOf(error) ?? asError(error).message
    throw new SetupError('CONFIG_UNREADABLE', [
      { message: `${path} can't be read (${why}). It must be a file that this user may read.` },
    ])
  }
}

const schema = CORE_SCHEMA.withTags(mergeTag)

function parse(source: string, file: string): Readonly<Record<string, unknown>> {
  const values = parseYaml(source, file)
  if (values === undefined || values === null) return {}
  if (typeof values !== 'object' || Array.isArray(values))
    throw invalid({ file, line: 1, message: 'The configuration must consist of "key: value" lines' })
  if (expandsBeyond(values, mostValues))
    throw invalid({
      file,
      message: `The YAML aliases of this file hold themselves, or expand to more than ${mostValues} values`,
    })
  return { ...values }
}

/** A few lines can expand to billions. */
const mostValues = 10_000

function parseYaml(source: string, file: string): unknown {
  // Comments alone are no document, and the parser would call that an error.
  if (source.split('\n').every((line) => /^\uFEFF?\s*(?:#|$)/.test(line))) return undefined
  try {
    return load(source, { schema })
  } catch (error) {
    // The parser's own message quotes the lines around, which may hold a secret.
    if (!(error instanceof YAMLException)) throw invalid({ file, message: asError(error).message })
    throw invalid({
      file,
      ...positionOf(error),
      message: `Not readable as YAML: ${error.reason}`,
    })
  }
}

function invalid(fault: Fault): SetupError {
  return new SetupError('CONFIG_INVALID', [fault])
}
