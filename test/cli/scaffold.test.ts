import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scaffold } from '../../src/cli/scaffold.ts'
import { ownFolder } from '../support/folder.ts'

const checkout = join(import.meta.dirname, '../..')

function make(folder: string, { name, force = false }: { name?: string; force?: boolean } = {}) {
  return scaffold({ folder, name, force, version: '1.2.3' })
}

test('a service is made under its name, whole, and its own tests pass', (t) => {
  const root = ownFolder(t)
  const { folder, name, written, kept } = make(join(root, 'deep/my-shop'))
  assert.deepEqual([folder, name, kept], [join(root, 'deep/my-shop'), 'my-shop', []])
  const read = (path: string) => readFileSync(join(folder, path), 'utf8')
  for (const path of ['.gitignore', '.dockerignore', 'Dockerfile', 'README.md', 'tsconfig.json'])
    assert.ok(written.includes(path), path)
  assert.match(read('macaron.yaml'), /^name: my-shop$/m)
  const { name: packageName, scripts, dependencies } = JSON.parse(read('package.json'))
  assert.deepEqual([packageName, dependencies.macaron], ['my-shop', '^1.2.3'])
  assert.deepEqual(Object.keys(scripts), ['dev', 'start', 'test', 'check'])
  assert.match(read('.gitignore'), /^\.macaron\/$/m)
  assert.match(read('Dockerfile'), /VOLUME \/service\/\.macaron/)

  mkdirSync(join(root, 'node_modules'))
  symlinkSync(checkout, join(root, 'node_modules/macaron'))
  // Of the runner that runs this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  // As its script `test`, but with this checkout's sources.
  const options = ['--conditions=macaron-source', '--test']
  const said = execFileSync(process.execPath, options, { cwd: folder, env, encoding: 'utf8' })
  assert.match(said, /pass 3\n[\s\S]*fail 0/)
})

test('a folder with files is refused; with force what is missing is written and what is there kept', (t) => {
  const root = ownFolder(t)
  mkdirSync(join(root, '.git'))
  writeFileSync(join(root, 'README.md'), 'mine')
  assert.throws(() => make(root, { name: 'shop' }), {
    code: 'INIT_NOT_EMPTY',
    message: /is not empty \(README\.md\).*--force/,
  })
  assert.deepEqual(readdirSync(root), ['.git', 'README.md'])
  const { kept, written } = make(root, { name: 'shop', force: true })
  assert.deepEqual([kept, written.includes('macaron.yaml')], [['README.md'], true])
  assert.equal(readFileSync(join(root, 'README.md'), 'utf8'), 'mine')
})

test('a repository without files is an empty folder', (t) => {
  const root = ownFolder(t)
  mkdirSync(join(root, '.git'))
  assert.deepEqual(make(root, { name: 'shop' }).kept, [])
})

test('odd names are refused with one that would do', (t) => {
  const root = ownFolder(t)
  const names = [
    ['My Shop!', 'my-shop'],
    ['../evil', 'evil'],
    ['1up', 'up'],
    ['Émile', 'emile'],
    ['node_modules', 'node-modules'],
    ['macaron', 'my-service'],
    ['😀', 'my-service'],
    ['', 'my-service'],
  ] as const
  for (const [name, advice] of names) {
    const expected = { code: 'INIT_BAD_NAME', message: new RegExp(`--name ${advice}\\.`) }
    assert.throws(() => make(root, { name }), expected, name)
  }
  assert.throws(() => make(join(root, 'My Shop')), {
    code: 'INIT_BAD_NAME',
    message: /--name my-shop, which may differ from the folder/,
  })
  assert.deepEqual(readdirSync(root), [])
})

test('places that can not be written are refused', (t) => {
  const root = ownFolder(t)
  writeFileSync(join(root, 'file'), '')
  for (const folder of [join(root, 'file'), join(root, 'file/shop'), '/proc/nowhere/shop'])
    assert.throws(() => make(folder), { code: 'INIT_UNWRITABLE', message: /can't be written/ }, folder)
})
