import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { generate } from '../../../src/spec/emit.ts'
import { loadApi } from '../../../src/spec/load.ts'

/** Generated files, judged by tsc and run by Node. */

const repository = resolve(import.meta.dirname, '../../..')

/** A folder inside the package, where generated files find 'macaron'. */
export async function insideFolder(context: TestContext): Promise<string> {
  const parent = join(repository, '.macaron')
  await mkdir(parent, { recursive: true })
  const path = await mkdtemp(join(parent, 'generate-'))
  context.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Holds the TypeScript files of a folder against the strictest rules; the complaints of tsc. */
export async function typeFaults(path: string): Promise<string> {
  const config = { extends: join(repository, 'tsconfig.json'), include: ['**/*.ts'], exclude: [] }
  await writeFile(join(path, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  return promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', path]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}

/**
 * Generates from spec files twice, from two readings; both must be the same. All together are then type-checked and imported. `files` are
 * further modules of the service, such as parents.
 */
export async function checkGenerated(
  context: TestContext,
  specs: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const root = await insideFolder(context)
  const apis = join(root, 'apis')
  await mkdir(apis)
  for (const spec of specs) {
    const file = join(apis, basename(spec))
    await copyFile(spec, file)
    const [text, again] = [await generated(file), await generated(file)]
    assert.equal(again, text, spec)
    await writeFile(file.replace(/\.(yaml|json)$/, '.gen.ts'), text)
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  assert.equal(await typeFaults(root), '')
  const names = (await readdir(apis)).filter((name) => name.endsWith('.gen.ts'))
  assert.equal(names.length, specs.length)
  const imports = names.map((name) => `import './apis/${name}'`).join('\n')
  await writeFile(join(root, 'all.ts'), `${imports}\nconsole.log('loaded')`)
  const run = [process.execPath, ['--conditions=macaron-source', join(root, 'all.ts')]] as const
  assert.equal((await promisify(execFile)(...run)).stdout, 'loaded\n')
  context.diagnostic(`${names.length} generated files accepted and loaded`)
}

async function generated(file: string): Promise<string> {
  return generate(await loadApi(file, { basePath: 'apply' }))
}
