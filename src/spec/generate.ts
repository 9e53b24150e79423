import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { asError, SetupError } from '../core/errors.ts'
import type { Api } from './api.ts'
import { generate } from './emit.ts'
import { loadApi } from './load.ts'
import { SpecNotes } from './notes.ts'
import type { ReadOptions } from './read-api.ts'

/** Keeps generated files in step with their specs. */

/** Changes with the form of generated files, so that a newer Macaron writes them anew. */
export const generation = 7

export interface Generated {
  readonly file: string
  readonly written: boolean
  /** There was one, of another text or another version of the generator. */
  readonly replaced: boolean
}

/** What is generated from a spec. */
export interface Output extends ReadOptions {
  /** The file to write. */
  readonly file: string
  /** Whatever the text depends on besides the spec; a file that was made in another form is written anew. */
  readonly form: string
  readonly text: (api: Api) => string
}

/**
 * Writes what is generated from a spec, `<name>.gen.ts` beside it unless `output` says otherwise, where it is missing, or was made from another text or by
 * another version of the generator; whoever reads it meanwhile sees the old file or the new one. With `notes` neither file is read where both are as before.
 * @throws SetupError `SPEC_INVALID`; `GENERATE_FAILED` where the file can't be written.
 */
export async function generateIfStale(
  specFile: string,
  output = modelsOf(specFile),
  notes = new SpecNotes(),
): Promise<Generated> {
  const { file, form } = output
  const kind = `generated-${hashOf(`${generation}${form}`)}`
  let done = { written: false, replaced: false }
  const find = async () => {
    done = await writeIfStale(specFile, output)
    return true as const
  }
  await notes.of(kind, [specFile, file], { find, valid: (note) => note === true })
  return { file, ...done }
}

async function writeIfStale(
  specFile: string,
  { file, form, basePath, text }: Output,
): Promise<Omit<Generated, 'file'>> {
  const spec = await readFile(specFile, 'utf8').catch(() => '')
  const stamp = stampOf(basename(specFile), `${form}${spec}`)
  const before = await textOf(file)
  if (before.startsWith(stamp)) return { written: false, replaced: false }
  const api = await loadApi(specFile, { basePath })
  await replace(file, `${stamp}\n${text(api)}`)
  return { written: true, replaced: before !== '' }
}

/** The models of a spec and the types of its handlers; paths are told as the spec has them, whatever base path the service has. */
function modelsOf(specFile: string): Output {
  return { file: generatedFileOf(specFile), form: '', basePath: 'ignore', text: generate }
}

/** Where those are written. */
export function generatedFileOf(specFile: string): string {
  return specFile.replace(/\.(ya?ml|json)$/, '.gen.ts')
}

/** The first line of a generated file: what it was made from. */
function stampOf(specName: string, text: string): string {
  return `// Made by Macaron from ${specName}: change that, not this. [${generation}:${hashOf(text)}]`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

async function textOf(file: string): Promise<string> {
  // One that can't be read is written anew, which tells what is wrong with it.
  return await readFile(file, 'utf8').catch(() => '')
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}-${crypto.randomUUID()}.tmp`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(temporary, text)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    const message = `This file can't be written: ${asError(error).message}. Where the folder is read-only, run macaron generate when the service is built.`
    throw new SetupError('GENERATE_FAILED', [{ file, message }])
  }
}
