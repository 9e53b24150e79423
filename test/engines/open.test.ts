import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEngine } from '../../src/engines/open.ts'
import { ownFolder } from '../support/folder.ts'

test('sqlite: opens the store in the service’s own folder', async (test) => {
  const folder = join(ownFolder(test), '.macaron')
  const engine = await openEngine('sqlite:', { folder, sync: 'full', role: 'worker' })
  await engine.close()
  assert.ok(existsSync(join(folder, 'tasks.db')))
  assert.ok(existsSync(join(folder, '.gitignore')))
})

test('sqlite:<folder> opens one elsewhere, relative to the service', async (test) => {
  const service = ownFolder(test)
  const options = { folder: join(service, '.macaron'), sync: 'full', role: 'worker' } as const
  const relative = await openEngine('sqlite:data/store', options)
  await relative.close()
  assert.ok(existsSync(join(service, 'data', 'store', 'tasks.db')))
  const absolute = await openEngine(`sqlite:${join(service, 'other')}`, options)
  await absolute.close()
  assert.ok(existsSync(join(service, 'other', 'tasks.db')))
})

test('any other URL is refused with what is supported, and without its password', async (test) => {
  const options = { folder: ownFolder(test), sync: 'full', role: 'worker' } as const
  for (const url of ['redis://user:secret@host:6379', 'postgres://host/x', '/var/tasks', ''])
    await assert.rejects(openEngine(url, options), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'BROKER_UNSUPPORTED')
      assert.match(error.message, /Supported are sqlite:/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
})
