import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { asError, SetupError } from '../core/errors.ts'
import { generate } from './emit.ts'
import { loadApi } from './load.ts'

/** Keeps generated files in step with their specs. */

/** Changes with the form of generated files, so that a newer Macaron writes them anew. */
const generation = 1

export interface Generated {
  /** The generated file, beside its spec. */
  readonly file: string
  readonly written: boolean
}

/**
 * Writes `<name>.gen.ts` beside a spec where it is missing, or was made from another text or by another version of the generator; whoever reads it
 * meanwhile sees the old file or the new one.
 * @throws SetupError `SPEC_INVALID`; `GENERATE_FAILED` where the file can't be written.
 */
export async function generateIfStale(specFile: string): Promise<Generated> {
  const file = generatedFileOf(specFile)
  const spec = await readFile(specFile, 'utf8').catch(() => '')
  const stamp = stampOf(basename(specFile), spec)
  if ((await beginningOf(file)).startsWith(stamp)) return { file, written: false }
  const api = await loadApi(specFile, { basePath: 'apply' })
  await replace(file, `${stamp}\n${generate(api)}`)
  return { file, written: true }
}

/** The generated file of a spec. */
function generatedFileOf(specFile: string): string {
  return specFile.replace(/\.(ya?ml|json)$/, '.gen.ts')
}

/** The first line of a generated file: what it was made from. */
function stampOf(specName: string, spec: string): string {
  const hash = createHash('sha256').update(spec).digest('hex').slice(0, 32)
  return `// Made by Macaron from ${specName}: change that, not this. [${generation}:${hash}]`
}

async function beginningOf(file: string): Promise<string> {
  // One that can't be read is written anew, which tells what is wrong with it.
  return await readFile(file, 'utf8').catch(() => '')
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}-${crypto.randomUUID()}.tmp`
  try {
    await writeFile(temporary, text)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    const message = `This file can't be written: ${asError(error).message}. Where the folder is read-only, run macaron generate when the service is built.`
    throw new SetupError('GENERATE_FAILED', [{ file, message }])
  }
}
