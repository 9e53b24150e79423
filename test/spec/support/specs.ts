import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import type { Api } from '../../../src/spec/api.ts'
import { readApi } from '../../../src/spec/read-api.ts'

/** The shared real specs; tests of them are skipped where they are not there. */
const shared = resolve(import.meta.dirname, '../../../../shared/specs')

/** The path of a shared spec, or undefined, with the test skipped. */
export function sharedSpec(context: TestContext, name: string): string | undefined {
  const file = join(shared, name)
  if (existsSync(file)) return file
  context.skip(`${file} is not here: tests of real specs need the shared specs beside the checkout`)
  return undefined
}

/** A folder of its own, removed after the test. */
export async function folder(
  context: TestContext,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'macaron-spec-'))
  context.after(() => rm(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

/** An API of OpenAPI 3.0 with these schemas (YAML below `schemas:`) and paths (YAML below `paths:`). */
export function api3(parts: { schemas?: string; paths?: string; name?: string }): Api {
  const text = [
    'openapi: 3.0.3',
    'info: { title: test, version: "1" }',
    parts.paths === undefined ? 'paths: {}' : `paths:\n${indented(parts.paths, 2)}`,
    parts.schemas === undefined ? '' : `components:\n  schemas:\n${indented(parts.schemas, 4)}`,
  ]
  return readApi(`/test/${parts.name ?? 'test'}.yaml`, text.join('\n'), { basePath: 'apply' })
}

/** An API of Swagger 2.0. */
export function api2(parts: { definitions?: string; paths?: string; top?: string }): Api {
  const text = [
    "swagger: '2.0'",
    'info: { title: test, version: "1" }',
    parts.top ?? '',
    parts.paths === undefined ? 'paths: {}' : `paths:\n${indented(parts.paths, 2)}`,
    parts.definitions === undefined ? '' : `definitions:\n${indented(parts.definitions, 2)}`,
  ]
  return readApi('/test/test.yaml', text.join('\n'), { basePath: 'apply' })
}

function indented(text: string, by: number): string {
  return text
    .replace(/^\n/, '')
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n')
}
