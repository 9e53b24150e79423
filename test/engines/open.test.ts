import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEngine } from '../../src/engines/open.ts'
import { ownFolder } from '../support/folder.ts'

test('sqlite: opens the store in the service’s own folder', async (test) => {
  const folder = join(ownFolder(test), '.macaron')
  const engine = await openEngine('sqlite:', { folder, sync: 'full', role: 'worker', service: 'shop' })
  await engine.close()
  assert.ok(existsSync(join(folder, 'tasks.db')))
  assert.ok(existsSync(join(folder, '.gitignore')))
})

test('sqlite:<folder> opens one elsewhere, relative to the service', async (test) => {
  const service = ownFolder(test)
  const options = {
    folder: join(service, '.macaron'),
    sync: 'full',
    role: 'worker',
    service: 'shop',
  } as const
  const relative = await openEngine('sqlite:data/store', options)
  await relative.close()
  assert.ok(existsSync(join(service, 'data', 'store', 'tasks.db')))
  const absolute = await openEngine(`sqlite:${join(service, 'other')}`, options)
  await absolute.close()
  assert.ok(existsSync(join(service, 'other', 'tasks.db')))
})

test('Redis is loaded by nobody who doesn’t use it', async (test) => {
  const { cache } = createRequire(import.meta.url)
  const loaded = () => Object.keys(cache).filter((file) => /node_modules\/(bullmq|ioredis)\//.test(file))
  const options = { folder: ownFolder(test), sync: 'full', role: 'worker', service: 'shop' } as const
  await (await openEngine('sqlite:', options)).close()
  assert.deepEqual(loaded(), [])
  await assert.rejects(openEngine('redis://127.0.0.1:1', options), { code: 'STORE_UNREACHABLE' })
  assert.notDeepEqual(loaded(), [])
})

test('any other URL is refused with what is supported, and without its password', async (test) => {
  const options = { folder: ownFolder(test), sync: 'full', role: 'worker', service: 'shop' } as const
  for (const url of ['postgres://user:secret@host/x', '/var/tasks', ''])
    await assert.rejects(openEngine(url, options), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'BROKER_UNSUPPORTED')
      assert.match(error.message, /Supported are sqlite:/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
})
