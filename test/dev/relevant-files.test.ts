import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isIgnoredFolder, isRelevant } from '../../src/dev/relevant-files.ts'

test('code, specs and configuration matter', () => {
  const files = ['macaron.yaml', 'pym-config.yaml', 'pym-config.live.yaml', 'package.json', 'service.ts']
  for (const file of [
    ...files,
    'apis/shop.yaml',
    'apis/shop.json',
    'apis/parts/money.yml',
    'clients/login.yaml',
    'shop/accounts.mts',
    'lib/old.cjs',
  ])
    assert.equal(isRelevant(file), true, file)
})

test('tests, generated files, data and what editors leave do not', () => {
  const left = [
    'shop/.accounts.ts.swp',
    '.#service.ts',
    'service.ts~',
    '#service.ts#',
    'service.ts.tmp',
    '4913',
  ]
  const made = ['apis/shop.gen.ts', 'clients/login.gen.ts', 'apis/shop.gen.ts.71-5f.tmp', 'types.d.ts']
  for (const file of [...left, ...made, 'test/shop.test.ts', 'notes.json', 'data/macaron.yaml', 'README.md'])
    assert.equal(isRelevant(file), false, file)
})

test('installed packages and folders with a dot are left out, wherever they are', () => {
  for (const folder of ['node_modules', 'lib/node_modules', '.macaron', '.git', 'lib/.cache'])
    assert.equal(isIgnoredFolder(folder), true, folder)
  assert.equal(isIgnoredFolder('shop'), false)
})
