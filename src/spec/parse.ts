import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml'
import { asError, SetupError } from '../core/errors.ts'
import { type Position, positionAt, positionOf } from './position.ts'

/**
 * The text of a spec file as plain data. JSON files take JSON.parse, which reads a 13 MB spec in a tenth of a second; all
 * others are YAML 1.2 (dates and yes/no stay text), with merge keys.
 */

/** How many values a YAML file may expand to through its aliases. */
const maxValues = 5_000_000

const yamlSchema = CORE_SCHEMA.withTags(mergeTag)

/**
 * The data of a spec file.
 * @throws SetupError `SPEC_INVALID` with file and line for text that can't be read.
 */
export function parseSpec(file: string, text: string): unknown {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  return isJson(file) ? parseJson(file, source) : parseYaml(file, source)
}

/** Whether a spec file is JSON, by its name. */
export function isJson(file: string): boolean {
  return file.endsWith('.json')
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = asError(error)
    throw unreadable(file, `This is not JSON: ${message}`, placeOfJsonError(message, text))
  }
}

/** Where V8 says the text stops being JSON: in its message; at the end where it says nothing. */
function placeOfJsonError(message: string, text: string): Position {
  const position = /position (\d+)/.exec(message)?.[1]
  return positionAt(text, position === undefined ? text.length : Number(position))
}

function parseYaml(file: string, text: string): unknown {
  const data = loadYaml(file, text)
  if (expandsBeyond(data, maxValues)) {
    throw unreadable(
      file,
      `The YAML aliases of this file expand to more than ${maxValues} values, or hold themselves. Write the parts out, or use $ref.`,
      undefined,
    )
  }
  return data
}

function loadYaml(file: string, text: string): unknown {
  try {
    return load(text, { schema: yamlSchema })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw unreadable(file, asError(error).message, undefined)
    throw unreadable(file, `This is not YAML: ${error.reason}`, positionOf(error))
  }
}

/** Whether data has more values than `limit` when every alias is counted as often as it is used; a cycle has no end. */
export function expandsBeyond(data: unknown, limit: number): boolean {
  const waiting: unknown[] = [data]
  let count = 0
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (++count + waiting.length > limit) return true
    if (typeof value === 'object' && value !== null) {
      for (const part of Object.values(value)) waiting.push(part)
    }
  }
  return false
}

function unreadable(file: string, message: string, place: Position | undefined): SetupError {
  return new SetupError('SPEC_INVALID', [{ message, file, ...place }])
}
