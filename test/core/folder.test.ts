import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureFolder } from '../../src/core/folder.ts'
import { ownFolder } from '../support/folder.ts'

test('the folder is its owner’s alone and ignored by git, made once or many times', (t) => {
  const folder = join(ownFolder(t), 'deep', '.macaron')
  ensureFolder(folder)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), '*\n')
  writeFileSync(join(folder, '.gitignore'), 'mine\n')
  ensureFolder(folder)
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'mine\n')
})

test('a folder that someone made without the ignore file gets one', (t) => {
  const folder = join(ownFolder(t), '.macaron')
  mkdirSync(folder)
  ensureFolder(folder)
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), '*\n')
  rmSync(join(folder, '.gitignore'))
})

test('where a file is in the way, the message names the folder and says what to do', (t) => {
  const folder = join(ownFolder(t), '.macaron')
  writeFileSync(folder, '')
  const expected = {
    code: 'STORE_UNWRITABLE',
    status: 503,
    message: /\.macaron can't be made or written \(EEXIST\)\. Give/,
  }
  assert.throws(() => ensureFolder(folder), expected)
  assert.throws(() => ensureFolder(join(folder, 'below')), { code: 'STORE_UNWRITABLE', message: /ENOTDIR/ })
})
